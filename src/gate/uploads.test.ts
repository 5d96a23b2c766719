import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { type GateRig, startGateRig } from '../../test/support/gate-rig.ts';

const MIB = 1024 ** 2;
const MARK = 100 * MIB;
const LOGIN = 'ada:right';
const UPLOADS = '/v2/team/app/blobs/uploads/';
const UPLOAD = `${UPLOADS}an-id?_state=S`;
/** Where the small registry says that an upload goes on. */
const NEXT = `${UPLOADS}1`;
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OCTETS = 'application/octet-stream';

let rig: GateRig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});

/** A gate before a disk with so much free. */
async function withFree(free: number) {
  const disk = { free, size: 1024 ** 4 };
  const taken = () => rig?.registry.sizes.reduce((sum, size) => sum + size, 0) ?? 0;
  const look = async () => ({ ...disk, free: disk.free - taken() });
  const opened = await startGateRig(undefined, { reserve: { bytes: MARK }, look });
  await opened.space.look();
  rig = opened;
  return { rig: opened, disk };
}

const upload = (opened: GateRig, size: number, more: Record<string, string> = {}, method = 'PATCH') =>
  opened.leave(method, UPLOAD, LOGIN, 'x'.repeat(size), OCTETS, more);

test('below the mark an upload may not begin, and the answer says what is free and what to do', async () => {
  const { rig } = await withFree(MARK - MIB);
  expect(await rig.ask('POST', UPLOADS, LOGIN)).toMatchObject({ status: 401 });
  const { status, reason, body } = await rig.leave('POST', UPLOADS, LOGIN);
  expect(status).toBe(507);
  const message =
    'the registry’s disk is almost full: 99 MiB free, 100 MiB are kept free; pulls work; the operator has to free space';
  expect(JSON.parse(body)).toEqual({ errors: [{ code: 'DENIED', message, detail: null }] });
  expect(reason).toBe(
    "Insufficient Storage (no space left on device: 99 MiB free, 100 MiB are kept free; the registry's operator has to free space)",
  );
  expect(rig.registry.seen).toEqual([]);
  expect(rig.events).toEqual([
    expect.objectContaining({ event: 'disk-full', user: 'ada', repository: 'team/app' }),
  ]);
});

test('who may not push learns nothing of the disk', async () => {
  const { rig } = await withFree(0);
  expect(await rig.leave('POST', '/v2/else/blobs/uploads/', LOGIN)).toMatchObject({ status: 403 });
  expect(await rig.leave('POST', UPLOADS, undefined)).toMatchObject({ status: 401 });
});

test('below the mark a manifest is refused, by PUT alone', async () => {
  const { rig } = await withFree(MARK - MIB);
  const uri = '/v2/team/app/manifests/v1';
  expect(await rig.leave('PUT', uri, LOGIN, '{}')).toMatchObject({ status: 507 });
  for (const method of ['GET', 'HEAD'])
    expect(await rig.ask(method, uri, LOGIN)).toMatchObject({ status: 204 });
  expect((await rig.leave('DELETE', '/v2/team/app/manifests/other', LOGIN)).status).not.toBe(507);
});

test('below the mark what is said of an upload, given up or only finished, takes no room', async () => {
  const { rig } = await withFree(MARK - MIB);
  for (const method of ['GET', 'HEAD', 'DELETE'])
    expect(await rig.ask(method, UPLOAD, LOGIN)).toMatchObject({ status: 204 });
  expect(await rig.ask('PUT', UPLOAD, LOGIN, { 'x-content-length': '0' })).toMatchObject({ status: 204 });
});

test('below the mark a mount is tried, and what the registry begins instead is given up', async () => {
  const { rig } = await withFree(MARK - MIB);
  const uri = `${UPLOADS}?mount=${DIGEST}&from=team/other`;
  expect(await rig.leave('POST', uri, LOGIN)).toMatchObject({ status: 507 });
  expect(rig.registry.seen).toEqual([`POST ${uri}`, `DELETE ${NEXT}`]);
  // Of a mount whose source may not be read there is nothing to try.
  const hidden = `${UPLOADS}?mount=${DIGEST}&from=else`;
  expect(await rig.leave('POST', hidden, LOGIN)).toMatchObject({ status: 507 });
  expect(rig.registry.seen).toHaveLength(2);
});

test('below the mark an upload that had begun is refused and given up, with nothing of its body passed on', async () => {
  const { rig } = await withFree(MARK - MIB);
  expect(await upload(rig, 1)).toMatchObject({ status: 507 });
  expect(rig.registry.seen).toEqual([`DELETE ${UPLOAD}`]);
});

test('far from the mark uploads go past the gate, unless they say that they are large', async () => {
  const { rig } = await withFree(MARK + 20 * 1024 ** 3);
  const asked = (length: string) => rig.ask('PATCH', UPLOAD, LOGIN, { 'x-content-length': length });
  expect(await rig.ask('PATCH', UPLOAD, LOGIN)).toMatchObject({ status: 204 });
  expect(await asked(String(1024 ** 3))).toMatchObject({ status: 204 });
  expect(await asked(String(5 * 1024 ** 3))).toMatchObject({ status: 401 });
  expect(await asked('many')).toMatchObject({ status: 204 });
});

test('near the mark an upload that fits comes through the gate whole', async () => {
  const { rig } = await withFree(MARK + 10 * MIB);
  expect(await rig.ask('PATCH', UPLOAD, LOGIN)).toMatchObject({ status: 401 });
  expect(await upload(rig, 5 * MIB)).toMatchObject({ status: 202, headers: { location: NEXT } });
  expect(rig.registry.seen).toEqual([`PATCH ${UPLOAD}`]);
  expect(rig.registry.sizes).toEqual([5 * MIB]);
  expect(rig.registry.headers[0]).toMatchObject({ 'content-type': OCTETS });
});

test('one that meets the mark is cut there, and given up where the registry says that it goes on', async () => {
  const { rig } = await withFree(MARK + 2 * MIB);
  expect(await upload(rig, 5 * MIB)).toMatchObject({ status: 507 });
  expect(rig.registry.seen).toEqual([`PATCH ${UPLOAD}`, `DELETE ${NEXT}`]);
  expect(rig.registry.sizes[0]).toBeLessThan(4 * MIB); // what was under way when somebody looked comes on top
  expect(rig.registry.sizes[0]).toBeGreaterThan(MIB);
  expect(rig.events).toEqual([expect.objectContaining({ event: 'disk-full', repository: 'team/app' })]);
});

test('before one is cut somebody looks: there may be room by now', async () => {
  const { rig, disk } = await withFree(MARK + 2 * MIB);
  disk.free = MARK + 50 * MIB;
  expect(await upload(rig, 5 * MIB)).toMatchObject({ status: 202 });
  expect(rig.registry.sizes).toEqual([5 * MIB]);
});

test.each([
  ['one that says how much it brings', {}],
  [
    'one that says its place too, and for which so much can’t be kept',
    { 'content-range': `0-${5 * MIB - 1}` },
  ],
])('%s is refused before it begins, or cut at the mark', async (_, place) => {
  const { rig } = await withFree(MARK + 8 * MIB);
  expect(await upload(rig, 9 * MIB, { ...place, 'x-content-length': String(9 * MIB) })).toMatchObject({
    status: 507,
  });
  expect(rig.registry.seen).toEqual([`DELETE ${UPLOAD}`]);
  const declared = { ...place, 'x-content-length': String(5 * MIB) };
  const both = await Promise.all([upload(rig, 5 * MIB, declared), upload(rig, 5 * MIB, declared)]);
  expect(both.map(({ status }) => status)).toContain(507);
  expect(rig.registry.sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(9 * MIB);
  expect(rig.registry.seen.at(-1)).toBe(`DELETE ${NEXT}`);
});

test('a chunk that says where it belongs keeps its length, by which the registry checks the place', async () => {
  const { rig, disk } = await withFree(MARK + 8 * MIB);
  const more = { 'x-content-length': String(2 * MIB), 'content-range': `0-${2 * MIB - 1}` };
  const going = upload(rig, 2 * MIB, more);
  disk.free = MARK;
  expect(await going).toMatchObject({ status: 202 });
  expect(rig.registry.headers[0]).toMatchObject({
    'content-length': more['x-content-length'],
    'content-range': more['content-range'],
  });
});

test('hundreds of uploads that come slowly hold up nobody else', async () => {
  const { rig } = await withFree(MARK + 10 * MIB);
  const slow = Array.from({ length: 300 }, () => rig.begin('PATCH', UPLOAD, LOGIN));
  await expect.poll(() => rig.registry.seen.length, { timeout: 10_000 }).toBe(slow.length);
  expect(await rig.leave('GET', '/v2/team/app/tags/list', LOGIN)).toMatchObject({ status: 200 });
  await Promise.all(slow.map((each) => once(each.end(), 'response')));
});

test('with room again pushes are taken', async () => {
  const { rig, disk } = await withFree(MARK - 1);
  expect(await rig.ask('POST', UPLOADS, LOGIN)).toMatchObject({ status: 401 });
  disk.free = 2 * MARK;
  await rig.space.look();
  expect(await rig.ask('POST', UPLOADS, LOGIN)).toMatchObject({ status: 204 });
});

test('a registry that meets the end of the disk is not believed to be broken', async () => {
  const { rig, disk } = await withFree(MARK + 50 * MIB);
  rig.registry.fail(500);
  expect(await upload(rig, MIB)).toMatchObject({ status: 500 });
  disk.free = 0; // somebody else has filled it
  expect(await upload(rig, MIB)).toMatchObject({ status: 507 });
  expect(rig.registry.seen.at(-1)).toBe(`DELETE ${UPLOAD}`);
});
