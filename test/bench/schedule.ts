import { type Course, certificate, live, look, type Scenario } from '../support/fleet.ts';
import { atMost, below, type Progress, type Row, row } from './result.ts';

const DAYS = 730;
/** From here on a fleet that started together has had time to spread. */
const SETTLED = DAYS - 180;
const OUTAGE = [365, 368] as const;
const DAY = 24 * 3_600_000;

interface Run {
  readonly name: string;
  readonly course: Course;
}

/**
 * Two simulated years of many machines that share a CA, with the decisions that the daemon makes: 90, 45 and 6 2/3
 * days of lifetime, one attempt in a hundred fails.
 */
export async function schedule(quick: boolean, report: Progress) {
  const fleet: Scenario = {
    certificates: quick ? 600 : 10_000,
    days: DAYS,
    lifetimes: [90, 45, 160 / 24],
    windows: false,
    failing: 0.01,
  };
  const scenarios: Readonly<Record<string, Scenario>> = {
    'No advice': fleet,
    'Windows by the CA': { ...fleet, windows: true },
    'CA gone for three days': { ...fleet, outage: OUTAGE },
    'CA gone for three days, windows': { ...fleet, outage: OUTAGE, windows: true },
    'All issued on one day, lifetime 90 days': { ...fleet, lifetimes: [90], issuedTogether: true },
  };
  const runs: Run[] = [];
  for (const [name, scenario] of Object.entries(scenarios)) {
    report(`${name}: ${scenario.certificates} certificates, ${DAYS} days`);
    runs.push({ name, course: live(scenario) });
  }
  const decision = row('Decision', 'at a tick', decisionTimes(fleet), 'µs');
  const rows = [...runs.flatMap(rowsOf), decision];
  const undisturbed = runs.slice(0, 2);
  const sum = (some: readonly Run[], of: (course: Course) => number) =>
    some.reduce((total, { course }) => total + of(course), 0);
  const goals = [
    atMost(
      0,
      'renewed after 5/6 of the lifetime, where the CA is there',
      sum(undisturbed, ({ late }) => late),
    ),
    atMost(
      0,
      'expired',
      sum(runs, ({ expired }) => expired),
    ),
    atMost(
      0,
      'renewed before it was due',
      sum(runs, ({ early }) => early),
    ),
    ...undisturbed.map(({ name, course }) =>
      atMost(quick ? 2 : 1.5, `${name}: busiest day, times the median`, peak(course.renewals)),
    ),
    below(100, decision),
  ];
  return { rows, goals };
}

function rowsOf({ name, course }: Run): Row[] {
  const { renewals, late, expired, mostInOutage } = course;
  const settled = renewals.slice(SETTLED);
  const one = (metric: string, value: number, unit: Row['unit']) => row(name, metric, [value], unit);
  return [
    row(name, 'renewals a day', renewals, 'certificates'),
    row(name, 'renewals a day, last half year', settled, 'certificates'),
    one('renewed after 5/6 of the lifetime', late, 'certificates'),
    one('expired', expired, 'certificates'),
    ...(mostInOutage > 0
      ? [one('most attempts of one machine in the outage', mostInOutage, 'requests')]
      : []),
  ];
}

function peak(renewals: readonly number[]): number {
  const { median, max } = row('', '', renewals);
  return max / median;
}

/** Microseconds for each decision at a tick, mean over the fleet, for a hundred ticks of the day. */
function decisionTimes(fleet: Scenario): number[] {
  const issued = Date.parse('2027-01-01T00:00:00Z');
  const machines = Array.from({ length: fleet.certificates }, (_, index) =>
    certificate(index, 0, issued, 90 * DAY),
  );
  return Array.from({ length: 100 }, (_, tick) => {
    const now = issued + DAY + tick * 600_000;
    const begun = performance.now();
    for (const each of machines) look(each, { windows: tick % 2 === 0 }, now);
    return ((performance.now() - begun) * 1000) / machines.length;
  });
}
