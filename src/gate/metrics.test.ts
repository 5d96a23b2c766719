import { afterEach, expect, test } from 'vitest';
import { type GateRig, startGateRig } from '../../test/support/gate-rig.ts';
import { GateMetrics } from './metrics.ts';

let rig: GateRig | undefined;

afterEach(() => rig?.stop());

const requests = (action: string, verdict: string) =>
  rig?.metric(`moorage_gate_requests_total{action="${action}",verdict="${verdict}"}`);

test('a request is counted once, although nginx asks twice about one that is refused', async () => {
  rig = await startGateRig();
  const blob = `/v2/team/app/blobs/sha256:${'0'.repeat(64)}`;
  expect((await rig.ask('GET', blob, 'ada:right')).status).toBe(204);
  expect(await requests('pull', 'allowed')).toBe(1);
  const foreign = blob.replace('team', 'other');
  expect((await rig.ask('GET', foreign, 'ada:right')).status).toBe(401);
  expect(await requests('pull', 'denied')).toBe(0);
  expect((await rig.leave('GET', foreign, 'ada:right')).status).toBe(403);
  expect(await requests('pull', 'denied')).toBe(1);
});

test('what was wanted and what became of it are two labels, and all are there from the first day', async () => {
  rig = await startGateRig();
  expect(await requests('delete', 'wrong_login')).toBe(0);
  expect((await rig.leave('GET', '/v2/_catalog', undefined)).status).toBe(401);
  expect((await rig.leave('PATCH', '/v2/team/app/tags/list', 'ada:right')).status).toBe(405);
  await rig.leave('GET', '/v2/', 'ada:right');
  expect(await requests('catalog', 'unauthorized')).toBe(1);
  expect(await requests('none', 'malformed')).toBe(1);
  expect(await requests('none', 'allowed')).toBe(1);
});

test('what the audit log is about is counted: a login that failed once is one, however often it comes', async () => {
  rig = await startGateRig();
  const asking = [0, 1, 2].map(() => rig?.leave('GET', '/v2/', 'ada:wrong'));
  await rig.clock.sleep(1_000);
  await Promise.all(asking);
  expect(await rig.metric('moorage_gate_audit_events_total{event="login_failed"}')).toBe(1);
  expect(await requests('none', 'wrong_login')).toBe(3);
});

test('an immutable tag is a refusal that comes after the judgement, and is counted among the events', async () => {
  rig = await startGateRig();
  await rig.leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', '{}');
  const second = await rig.leave('PUT', '/v2/team/app/manifests/v1', 'ada:right', '{"other":1}');
  expect(second.status).toBe(403);
  expect(await rig.metric('moorage_gate_audit_events_total{event="denied"}')).toBe(1);
  expect(await rig.metric('moorage_gate_audit_events_total{event="push"}')).toBe(1);
});

test('where nobody sees to a mark there is none, rather than a mark of 0', async () => {
  rig = await startGateRig();
  expect(await rig.metric('moorage_disk_reserve_bytes')).toBeUndefined();
  expect(await rig.metric('moorage_gate_disk_low')).toBeUndefined();
  await rig.stop();
  rig = await startGateRig(undefined, { reserve: { bytes: 7 }, look: async () => ({ free: 3, size: 10 }) });
  await rig.space.look();
  expect(await rig.metric('moorage_disk_reserve_bytes')).toBe(7);
  expect(await rig.metric('moorage_gate_disk_low')).toBe(1);
});

test('the number of series does not grow with what is asked', async () => {
  const nothing = { throttled: { origins: 0, names: 0 }, space: undefined, rulesInForce: true };
  const before = (await new GateMetrics().text(nothing)).split('\n').length;
  rig = await startGateRig();
  for (const uri of ['/v2/a/tags/list', '/v2/b/c/tags/list', '/v2/team/x/tags/list', '/v2/../x'])
    for (const login of ['ada:right', 'root:right', undefined]) await rig.leave('GET', uri, login);
  const lines = (await rig.metrics()).split('\n');
  expect(lines.length).toBe(before);
  expect(lines.join('\n')).not.toMatch(/ada|root|team|192\.0\.2/);
});
