# SPDX-License-Identifier: Apache-2.0
"""mixlab for Python: read recordings (`Run`), start devnets (`Devnet`), judge both from pytest (the `lab` fixture)."""

__version__ = "0.1.0"

from .devnet import Devnet, Node
from .run import Inconclusive, Result, Run, Violated
from .websocket import WebSocket, WebSocketError

__all__ = [
    "Devnet",
    "Inconclusive",
    "Node",
    "Result",
    "Run",
    "Violated",
    "WebSocket",
    "WebSocketError",
    "__version__",
]
