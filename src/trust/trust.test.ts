import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { PLAIN_ENGINE } from '../../test/support/engine-info.ts';
import { makeTestCa, type TestCa } from '../../test/support/test-ca.ts';
import { Made } from '../host/made.ts';
import { systemClock } from '../system/clock.ts';
import { type Run, run } from '../system/processes.ts';
import { type Authority, readAuthority, sameFingerprint } from './authority.ts';
import { ensureClients } from './clients.ts';
import { ensureHosts } from './hosts-file.ts';
import { OWN, type TrustedRegistry, type TrustMachine } from './machine.ts';
import { removeTrust } from './remove.ts';
import { trustScript } from './script.ts';
import { ensureSystemStore } from './system-store.ts';

let scratch: string;
let one: TestCa;
let two: TestCa;
let ca: Authority;
let root: string;
let machine: TrustMachine;
let ran: string[];

const at = (path: string) => join(root, path);
const registry = (authorities: readonly string[] = ['r.lan:8443'], id = OWN): TrustedRegistry => ({
  id,
  authorities,
  names: authorities.map((each) => each.replace(/:\d+$/, '')),
  ca,
});

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moorage-trust-'));
  [one, two] = await Promise.all([makeTestCa(join(scratch, 'one')), makeTestCa(join(scratch, 'two'))]);
  ca = readAuthority(one.certificate, 'ca.pem', new Date());
});
afterAll(() => rm(scratch, { recursive: true }));

beforeEach(async () => {
  root = await mkdtemp(join(scratch, 'root-'));
  ran = [];
  /** Debian's tool, as far as it matters: the bundle is what is in the folder. */
  const fake: Run = async (program, args) => {
    ran.push([program, ...args].join(' '));
    const folder = at('usr/local/share/ca-certificates');
    const names = (await readdir(folder)).filter((name) => name.endsWith('.crt'));
    const all = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    await writeFile(at('etc/ssl/certs/ca-certificates.crt'), all.join(''));
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  const made = new Made(at('var/made.json'));
  machine = { run: fake, clock: systemClock, made, root, configHome: at('home/.config') };
});

test('the CA goes where Docker looks, under each name with its port, and is taken away with its folders', async () => {
  const { changed, value } = await ensureClients(
    machine,
    registry(['r.lan:8443', 'r.lan:5443', 'x']),
    PLAIN_ENGINE,
  );
  expect(changed).toBe(true);
  expect(value).toEqual(
    ['r.lan:8443', 'r.lan:5443', 'x'].map((name) => at(`etc/docker/certs.d/${name}/ca.crt`)),
  );
  for (const file of value) expect(await readFile(file, 'utf8')).toBe(ca.pem);
  expect(
    (await ensureClients(machine, registry(['r.lan:8443', 'r.lan:5443', 'x']), PLAIN_ENGINE)).changed,
  ).toBe(false);
  expect((await removeTrust(machine, OWN)).changed).toBe(true);
  expect(await readdir(root)).toEqual(['var']);
  expect(await removeTrust(machine, OWN)).toMatchObject({ changed: false });
});

test('a name that has gone from the settings is no longer trusted', async () => {
  await ensureClients(machine, registry(['r.lan', 'x.lan']), PLAIN_ENGINE);
  await ensureClients(machine, registry(['r.lan']), PLAIN_ENGINE);
  expect(await readdir(at('etc/docker/certs.d'))).toEqual(['r.lan']);
});

test('Podman’s folder gets it where there is one, and alone where there is no Docker', async () => {
  await mkdir(at('etc/containers'), { recursive: true });
  await ensureClients(machine, registry(), undefined);
  expect(await readdir(at('etc'))).toEqual(['containers']);
  const { value } = await ensureClients(machine, registry(), PLAIN_ENGINE);
  expect(value).toEqual(['docker', 'containers'].map((each) => at(`etc/${each}/certs.d/r.lan:8443/ca.crt`)));
});

test('a rootless engine looks into its owner’s folder', async () => {
  const { value } = await ensureClients(machine, registry(), { ...PLAIN_ENGINE, rootless: true });
  expect(value).toEqual([at('home/.config/docker/certs.d/r.lan:8443/ca.crt')]);
});

test('Docker needs nothing for localhost', async () => {
  expect((await ensureClients(machine, registry(['localhost:8443']), PLAIN_ENGINE)).value).toEqual([]);
});

test('what somebody has done by hand is theirs, and another CA of theirs is not overwritten', async () => {
  const file = at('etc/docker/certs.d/r.lan:8443/ca.crt');
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `by hand\n${one.certificate}`);
  expect((await ensureClients(machine, registry(), PLAIN_ENGINE)).changed).toBe(false);
  await removeTrust(machine, undefined);
  expect(await readFile(file, 'utf8')).toContain('by hand');
  await writeFile(file, two.certificate);
  await expect(ensureClients(machine, registry(), PLAIN_ENGINE)).rejects.toMatchObject({
    code: 'foreign-file',
  });
});

async function likeDebian(): Promise<void> {
  for (const folder of ['usr/local/share/ca-certificates', 'etc/ssl/certs', 'usr/sbin'])
    await mkdir(at(folder), { recursive: true });
  await writeFile(at('usr/sbin/update-ca-certificates'), '');
}

test('the system’s store gets the CA, and forgets it', async () => {
  await likeDebian();
  expect((await ensureSystemStore(machine, registry())).changed).toBe(true);
  expect(await readdir(at('usr/local/share/ca-certificates'))).toEqual(['moorage-r.lan_8443.crt']);
  expect((await ensureSystemStore(machine, registry())).changed).toBe(false);
  expect(ran).toEqual(['update-ca-certificates']);
  await removeTrust(machine, OWN);
  expect(ran.at(-1)).toBe('update-ca-certificates --fresh');
  expect(await readFile(at('etc/ssl/certs/ca-certificates.crt'), 'utf8')).toBe('');
});

test('killed before the store was made of it, the next run makes it', async () => {
  await likeDebian();
  const killed = { ...machine, run: () => Promise.reject(new Error('killed')) };
  await expect(ensureSystemStore(killed, registry())).rejects.toThrow('killed');
  expect((await ensureSystemStore(machine, registry())).changed).toBe(true);
  await expect(removeTrust(killed, OWN)).rejects.toThrow('killed');
  await removeTrust(machine, OWN);
  expect(await readFile(at('etc/ssl/certs/ca-certificates.crt'), 'utf8')).toBe('');
});

test('a system with neither store is told', async () => {
  await expect(ensureSystemStore(machine, registry())).rejects.toMatchObject({ code: 'no-system-store' });
});

test('removing one registry leaves the other', async () => {
  await ensureClients(machine, registry(['a.lan'], 'a.lan'), PLAIN_ENGINE);
  await ensureClients(machine, registry(['a.lan:5000'], 'a.lan:5000'), PLAIN_ENGINE);
  await removeTrust(machine, 'a.lan');
  expect(await readdir(at('etc/docker/certs.d'))).toEqual(['a.lan:5000']);
});

test('names lead to an address by one line, which is replaced and goes', async () => {
  await mkdir(at('etc'));
  await writeFile(at('etc/hosts'), '127.0.0.1 localhost\n');
  const many = registry(['r.lan', 'x.lan:8443', '10.0.0.9', 'localhost']);
  await ensureHosts(machine, many, '10.0.0.1');
  expect(await readFile(at('etc/hosts'), 'utf8')).toMatch(
    /^127.0.0.1 localhost\n10\.0\.0\.1\tr\.lan x\.lan\t# .*\n$/,
  );
  expect((await ensureHosts(machine, many, '10.0.0.1')).changed).toBe(false);
  await ensureHosts(machine, registry(['r.lan']), '10.0.0.2');
  expect(await readFile(at('etc/hosts'), 'utf8')).toMatch(/localhost\n10\.0\.0\.2\tr\.lan\t# .*\n$/);
  await removeTrust(machine, OWN);
  expect(await readFile(at('etc/hosts'), 'utf8')).toBe('127.0.0.1 localhost\n');
});

test('a line of somebody else’s counts: the same is enough, another address stops it', async () => {
  await mkdir(at('etc'));
  await writeFile(at('etc/hosts'), '10.0.0.1 R.lan # by hand\nfd00::9 r.lan\n');
  expect((await ensureHosts(machine, registry(['r.lan']), '10.0.0.1')).changed).toBe(false);
  await expect(ensureHosts(machine, registry(['r.lan']), '10.0.0.2')).rejects.toMatchObject({
    code: 'hosts-taken',
  });
  await expect(ensureHosts(machine, registry(['10.0.0.9']), '10.0.0.2')).rejects.toThrow('--hosts');
});

test('only CAs are taken, without their keys', async () => {
  const { cert, key } = await one.issue(join(scratch, 'leaf'), ['r.lan']);
  const now = new Date();
  expect(readAuthority(`junk\n${one.certificate}${two.certificate}`, 'x', now).certificates).toHaveLength(2);
  const refused = (pem: string, when = now) => {
    try {
      return readAuthority(pem, 'ca.crt', when).pem;
    } catch (error) {
      return String(error);
    }
  };
  if (!/CA:TRUE/.test(execFileSync('openssl', ['x509', '-noout', '-text'], { input: cert }).toString()))
    expect(refused(cert)).toMatch(/server, not of a CA/);
  expect(refused(`${one.certificate}${key}`)).toMatch(/private key/);
  expect(refused('')).toMatch(/no certificate/);
  expect(refused(one.certificate, new Date(now.getTime() + 5 * 86_400_000))).toMatch(/ended on/);
});

test('a fingerprint may be written as openssl does, or without colons', () => {
  expect(sameFingerprint('AB:CD', 'abcd')).toBe(true);
  expect(sameFingerprint('sha256 Fingerprint=AB:CD', 'AB:CD')).toBe(true);
  expect(sameFingerprint('AB:CE', 'abcd')).toBe(false);
});

test('the printed script does the same by the shell alone, twice, in a folder with a blank', async () => {
  const target = at('a root');
  await mkdir(join(target, 'etc/containers'), { recursive: true });
  const script = trustScript(registry(['r.lan:8443', 'x.lan']), 'https://r.lan:8443/ca.crt');
  expect(script).toContain(ca.fingerprint);
  const file = at('trust.sh');
  await writeFile(file, script);
  await chmod(file, 0o755);
  for (const _ of [1, 2]) {
    const { exitCode, stderr } = await run('sh', [file], { env: { DESTDIR: target } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }
  for (const place of ['docker', 'containers'])
    for (const name of ['r.lan:8443', 'x.lan']) {
      const folder = join(target, 'etc', place, 'certs.d', name);
      expect(await readdir(folder)).toEqual(['ca.crt']);
      expect(await readFile(join(folder, 'ca.crt'), 'utf8')).toBe(ca.pem);
    }
});
