import { expect, test } from 'vitest';
import { live, type Scenario, TICK } from '../support/fleet.ts';

/** Two years of machines whose certificates live for 90, 45 and 6 2/3 days. `npm run bench -- schedule` has 10,000. */
const fleet: Scenario = {
  certificates: 36,
  days: 730,
  lifetimes: [90, 45, 160 / 24],
  windows: false,
  failing: 0.01,
};
const OUTAGE = [365, 368] as const;

test.each([
  { advice: 'without the CA’s advice', windows: false },
  { advice: 'with windows', windows: true },
])(
  'one attempt in a hundred fails, $advice: nobody is late, nobody renews before it is due',
  ({ windows }) => {
    const { renewals, attempts, ...course } = live({ ...fleet, windows });
    const renewed = renewals.reduce((sum, each) => sum + each, 0);
    expect(renewed).toBeGreaterThan(3_000);
    expect(attempts).toBeGreaterThan(renewed);
    expect(course).toMatchObject({ late: 0, expired: 0, early: 0 });
  },
);

test.each([
  { advice: 'without advice', windows: false },
  { advice: 'with windows', windows: true },
])('the CA is gone for three days, $advice: no certificate expires', ({ windows }) => {
  expect(live({ ...fleet, windows, outage: OUTAGE })).toMatchObject({ expired: 0, early: 0 });
});

test('in three days a CA that is gone is asked by a machine with time to spare seven times at most', () => {
  const outage = { ...fleet, certificates: 100, days: 60, outage: [20, 23] } as const;
  const spare = live({ ...outage, lifetimes: [90, 45] });
  expect(spare.mostInOutage).toBeGreaterThanOrEqual(5);
  expect(spare.mostInOutage).toBeLessThanOrEqual(7); // after 1, 10 and 100 min, then once a day
  const short = live({ ...outage, lifetimes: [160 / 24] });
  expect(short.mostInOutage).toBeLessThanOrEqual(3 * 24); // once an hour near the end
});

test('nobody asks twice at the same tick', () => {
  expect(live({ ...fleet, days: 200, failing: 0.5 }).closest).toBeGreaterThanOrEqual(TICK);
});

test('a CA that is gone for four months: all certificates do expire, and the simulation sees it', () => {
  const { late, expired } = live({ ...fleet, certificates: 3, days: 150, outage: [20, 140] });
  expect(expired).toBe(3);
  expect(late).toBeGreaterThanOrEqual(expired);
});
