import { expect, test } from 'vitest';
import type { Entry } from '../journal.ts';
import { type Asked, begunMove, identityOf, type MoveStep } from './course.ts';

const since = new Date('2026-07-01T12:00:00Z');
const at = (step: MoveStep | ''): Entry => ({
  since,
  step,
  facts: { to: 'root@new', folder: '/srv/moorage', set: '{"HTTPS_PORT":"5000"}' },
});
const nothing: Asked = { to: undefined, folder: undefined, set: {} };

test('where nothing was begun there is nothing to go on with', () => {
  expect(begunMove(undefined, nothing)).toBeUndefined();
});

test('one that was cut off knows where it goes', () => {
  expect(begunMove(at('copy'), nothing)).toMatchObject({
    since,
    goal: { to: 'root@new', folder: '/srv/moorage', set: { HTTPS_PORT: '5000' } },
  });
});

test.each<[MoveStep | '', readonly MoveStep[]]>([
  ['', ['copy', 'drain', 'close', 'replay', 'verify', 'start', 'compare']],
  ['copy', ['copy', 'drain', 'close', 'replay', 'verify', 'start', 'compare']],
  ['close', ['close', 'replay', 'verify', 'start', 'compare']],
  ['verify', ['verify', 'start', 'compare']],
  ['start', ['start', 'compare']],
  ['compare', ['compare']],
])('cut off at "%s" it has these steps ahead: %s', (step, ahead) => {
  const begun = begunMove(at(step), nothing);
  const all: readonly MoveStep[] = ['copy', 'drain', 'close', 'replay', 'verify', 'start', 'compare'];
  expect(all.filter((each) => begun?.isAhead(each))).toEqual(ahead);
});

test.each<[string, Partial<Asked>, MoveStep]>([
  ['another machine', { to: 'root@other' }, 'copy'],
  ['another folder', { folder: '/opt/moorage' }, 'copy'],
  ['other settings once it is closed', { set: { HTTPS_PORT: '443' } }, 'close'],
])('%s is refused', (_, asked, step) => {
  expect(() => begunMove(at(step), { ...nothing, ...asked })).toThrow(/is half done/);
});

test('before it is closed a setting may be mended', () => {
  const begun = begunMove(at('copy'), { ...nothing, set: { BIND_ADDRESS: '' } });
  expect(begun?.goal.set).toEqual({ HTTPS_PORT: '5000', BIND_ADDRESS: '' });
});

test('the mark of a registry is its own, and does not tell its secret', () => {
  expect(identityOf('secret')).toBe(identityOf('secret'));
  expect(identityOf('secret')).not.toBe(identityOf('another'));
  expect(identityOf('secret')).not.toContain('secret');
});
