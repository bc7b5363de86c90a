// SPDX-License-Identifier: Apache-2.0
// A host's clocks. Lab time is the run's one time line; a program's monotonic clock is lab time
// stretched by the host's drift, its wall clock that plus the epoch and the host's offset. Whole
// numbers only: local = lab + floor(lab * ppm / 10^6), inverted exactly.
#include "harness/kernel/internal.h"

namespace lab::kernel {

i64 local_from_lab(const Kernel& k, i64 lab) {
  const i64 ppm = k.control->clock_drift_ppm;
  if (ppm == 0 || lab == LAB_NEVER) return lab;
  const i64 million = lab / 1'000'000, rest = lab % 1'000'000;
  return lab + million * ppm +
         (rest * ppm >= 0 ? rest * ppm / 1'000'000 : -((-rest * ppm + 999'999) / 1'000'000));
}

i64 lab_from_local(const Kernel& k, i64 local) {
  const i64 ppm = k.control->clock_drift_ppm;
  if (ppm == 0 || local == LAB_NEVER) return local;
  // The smallest lab time whose local time is not before `local`: guess, then walk the last steps.
  i64 lab = local / (1'000'000 + ppm) * 1'000'000;
  lab += (local - local_from_lab(k, lab)) * 1'000'000 / (1'000'000 + ppm);
  while (local_from_lab(k, lab) < local)
    ++lab;
  while (lab > 0 && local_from_lab(k, lab - 1) >= local)
    --lab;
  return lab;
}

i64 monotonic_now(const Kernel& k) {
  return local_from_lab(k, k.control->now_ns);
}

i64 realtime_now(const Kernel& k) {
  return monotonic_now(k) + k.control->wall_epoch_ns + k.control->clock_offset_ns;
}

i64 deadline_in(const Kernel& k, i64 ns) {
  if (ns < 0) return LAB_NEVER;
  const i64 local = monotonic_now(k);
  if (ns > LAB_NEVER / 2 - local) return LAB_NEVER;
  return lab_from_local(k, local + ns);
}

}  // namespace lab::kernel
