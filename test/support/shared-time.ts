import type { Rig } from './renewal-rig.ts';
import { ShiftedClock } from './shifted-clock.ts';

/** A clock for a rig's parts that the CA's own, as its directory shows it, goes with. */
export function sharedTime({ proxy }: Rig): ShiftedClock {
  const clock = new ShiftedClock();
  const date = () => clock.now().toUTCString();
  proxy.add({ on: 'directory', act: { kind: 'headers', set: { date } } });
  return clock;
}
