// SPDX-License-Identifier: Apache-2.0
// The main function of every Boost.Test program of the tree (one per folder).
#define BOOST_TEST_MODULE mixlab
#include <boost/test/unit_test.hpp>
