import { expect, test } from 'vitest';
import { RecordedHost } from '../../../test/support/recorded-host.ts';
import { Failure } from '../../errors.ts';
import { expectStillThere } from '../../move/arrival.ts';
import { type Move, moveText } from '../../stack/moved.ts';
import { despiteLoss } from './end.ts';

const ON: Move = { kind: 'gone', id: 'x', other: 'root@third', folder: '/srv/moorage', since: new Date(0) };

/** What of a checkout there is; where nothing else is said, nothing. */
function there({ mark, settings = false }: { mark?: Move; settings?: boolean }) {
  const host = new RecordedHost((line) => {
    if (line.includes('moved.lease')) return mark ? { stdout: moveText(mark) } : { exitCode: 44 };
    return { exitCode: settings ? 0 : 1 };
  });
  return { host, folder: '/srv/moorage' };
}

test('one that has moved on is not taken back: a third machine takes writes', async () => {
  const moved = there({ mark: ON, settings: true });
  await expect(expectStillThere(moved, true)).rejects.toMatchObject({
    code: 'moved-on',
    message: expect.stringContaining('root@third'),
  });
});

test('where nothing is left there is nothing to stop, and what was pushed there is given up by --force alone', async () => {
  expect(await expectStillThere(there({ settings: true }), false)).toBe(true);
  await expect(expectStillThere(there({}), false)).rejects.toMatchObject({ code: 'gone-there' });
  expect(await expectStillThere(there({}), true)).toBe(false);
});

test.each(['host-unreachable', 'host-key-changed'])(
  'a machine that is lost (%s) keeps nobody from going back',
  (code) => {
    const error = new Failure(code, 'vps is away', 'Look at it.');
    expect(() => despiteLoss(error, 'vps', false)).toThrow(
      expect.objectContaining({ code, remedy: expect.stringMatching(/^Look at it\.\n.*--cancel --force$/) }),
    );
    expect(despiteLoss(error, 'vps', true)).toContain('takes writes, too');
  },
);

test('whoever may not log in has not lost it', () => {
  const refused = new Failure('login-refused', 'vps does not let this user in', 'ssh-copy-id vps');
  expect(() => despiteLoss(refused, 'vps', true)).toThrow(refused);
});
