import { expect, test } from 'vitest';
import { situation } from '../../test/support/situation.ts';
import { type Alert, afterTelling, dueAlerts, type Told } from './alert.ts';
import { severity, text, title } from './words.ts';

const GIB = 1024 ** 3;
const now = new Date('2027-01-01T00:00:00Z');
const nothing: Told = { failing: false };
const onDisk = (free: number) => ({
  ...situation(),
  disk: { free: free * GIB, size: 250 * GIB, mark: 2 * GIB },
});

/** What is told while the disk has so many GiB free, look by look. */
function history(free: readonly number[]): string[] {
  let told = nothing;
  return free.flatMap((each) =>
    dueAlerts(onDisk(each), now, told).map((alert) => {
      told = afterTelling(told, alert);
      return `${each}: ${alert.kind}`;
    }),
  );
}

test('a disk that fills up and is cleared: each level once, and its end once', () => {
  expect(history([100, 5, 4.3, 4.2, 3, 1.9, 1, 0, 2.1, 3, 4.3, 4.7, 100, 100])).toEqual([
    '4.3: disk-short',
    '1.9: disk-low',
    '3: disk-recovered', // pushes are taken again
    '4.7: disk-recovered', // and there is room
  ]);
});

test('a disk that fills up between two looks is told of once, and so is its end', () => {
  expect(history([100, 1, 1, 100])).toEqual(['1: disk-low', '100: disk-recovered']);
});

test('at the mark nothing flaps', () => {
  expect(history([1.9, 2.1, 1.9, 2.1, 1.9])).toEqual(['1.9: disk-low']);
});

test('a disk that nobody sees to is no news, nor one that could not be looked at', () => {
  expect(dueAlerts(situation(), now, { failing: false, disk: 'low' })).toEqual([]);
});

test('plain HTTP has a disk, and nothing that is renewed', () => {
  const plain = { ...onDisk(1), plain: true };
  expect(dueAlerts(plain, now, { failing: true }).map(({ kind }) => kind)).toEqual(['disk-low']);
});

function alert(free: number, told: Told = nothing): Alert {
  const [due] = dueAlerts(onDisk(free), now, told);
  if (due === undefined) throw new Error('nothing is due');
  return due;
}

test('the words: how much is free, what happens, when it is over, what to do', () => {
  const low = alert(1.2);
  expect([severity(low), title(low)]).toEqual([
    'critical',
    'r.example: the disk of the images is almost full, so pushes are refused',
  ]);
  expect(text(low)).toMatch(
    /almost full: 1\.2 GiB of 250 GiB are free\. Pushes are refused \(507\), pulls go on\. With 2\.2 GiB free, .*by themselves\.\n\nWhat to do: .*REGISTRY_DATA_DIR.*DISK_RESERVE/,
  );
  const short = alert(3);
  expect([severity(short), text(short)]).toEqual([
    'warning',
    expect.stringMatching(
      /getting full: 3 GiB of 250 GiB are free\. With less than 2 GiB pushes are refused\./,
    ),
  ]);
  const again = alert(3, { failing: false, disk: 'low' });
  expect([severity(again), text(again)]).toEqual([
    'info',
    expect.stringMatching(/Pushes to r\.example are taken again: 3 GiB of 250 GiB are free\./),
  ]);
  expect(text(alert(100, { failing: false, disk: 'low' }))).toMatch(
    /has room again: .*Nothing is to be done\.$/,
  );
});
