import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseForwardProxy } from '../settings/forward-proxy.ts';
import { systemClock } from '../system/clock.ts';
import type { Run } from '../system/processes.ts';
import { ensureEngineProxy, type ProxyMachine, removeEngineProxy } from './engine-proxy.ts';
import { lastingSix } from './lasting-addresses.ts';
import { Made } from './made.ts';
import { type EngineProxies, engineProxies, masked, variablesFile } from './proxy-drop-in.ts';

const WANTED: EngineProxies = {
  HTTP_PROXY: undefined,
  HTTPS_PROXY: 'http://me:p%40ss@proxy.lan:3128',
  NO_PROXY: 'localhost,r.lan',
};

let root: string;
let ran: string[];
/** What the engine of this machine runs with; `undefined`: it does not run. */
let engine: Record<string, string> | undefined;
let liveRestore: boolean;
let overridden: string | undefined;
let machine: ProxyMachine;

const path = () => join(root, 'units/docker.service.d/moorage-proxy.conf');
const variables = () => path().replace(/conf$/, 'env');
const agree = async () => true;
const refuse = async () => false;
const quietly = () => undefined;

/** A systemd with one service, as far as it matters: at its start the engine gets what the drop-in says. */
const run: Run = async (program, args) => {
  const answer = (stdout: string) => ({ exitCode: 0, stdout, stderr: '' });
  const line = [program, ...args].join(' ');
  if (line.startsWith('systemctl show')) return answer(engine === undefined ? '0' : '77');
  if (program === 'systemctl') ran.push(args.join(' '));
  if (line === 'systemctl restart docker.service') await start();
  if (program === 'docker' && args[0] === 'info') {
    if (engine === undefined) return { exitCode: 1, stdout: '', stderr: 'Cannot connect' };
    const info = {
      ServerVersion: '28.0.0',
      HttpsProxy: overridden ?? masked(engine.HTTPS_PROXY),
      HttpProxy: '',
      NoProxy: engine.NO_PROXY,
      LiveRestoreEnabled: liveRestore,
      ContainersRunning: 2,
    };
    return answer(JSON.stringify(info));
  }
  if (args[0] === 'ps') return answer('1\n2');
  if (args[0] === 'inspect')
    return answer(
      `/nginx unless-stopped true\n/by-hand no ${ran.some((each) => each.startsWith('restart')) ? 'false' : 'true'}`,
    );
  return answer('');
};

async function start(): Promise<void> {
  const unit = await readFile(path(), 'utf8').catch(() => '');
  const file = /^EnvironmentFile=-(.*)$/m.exec(unit)?.[1] ?? '';
  const text = await readFile(file, 'utf8').catch(() => '');
  const pairs = [...text.matchAll(/^(\w+)="(.*)"$/gm)];
  const given: Record<string, string> = Object.fromEntries(
    pairs.map(([, name, value = '']) => [name, value.replace(/\\(.)/g, '$1')]),
  );
  await mkdir(join(root, 'proc/77'), { recursive: true });
  engine = given;
  const environ = Object.entries(given).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(root, 'proc/77/environ'), ['PATH=/bin', ...environ, ''].join('\0'));
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'moorage-engine-proxy-'));
  [ran, liveRestore, overridden] = [[], false, undefined];
  await mkdir(join(root, 'run/systemd/system'), { recursive: true });
  await start();
  const at = (name: string) => join(root, name);
  const made = new Made(at('var/made.json'));
  const places = { units: at('units'), runtime: at('run'), processes: at('proc') };
  machine = { run, clock: systemClock, root: true, made, ...places };
});
afterEach(() => rm(root, { recursive: true }));

test('passwords are for root’s eyes alone, and not in what systemd shows everybody; the engine is restarted once, and a second run changes nothing', async () => {
  const done = await ensureEngineProxy(machine, WANTED, agree, quietly);
  expect(done).toMatchObject({
    changed: true,
    summary: expect.stringContaining('https by http://proxy.lan:3128'),
  });
  expect(done.summary).toContain('stopped now: by-hand');
  expect((await stat(variables())).mode & 0o777).toBe(0o600);
  expect(await readFile(path(), 'utf8')).not.toContain('p%40ss');
  expect(ran).toEqual(['daemon-reload', 'reset-failed docker.service', 'restart docker.service']);
  expect((await ensureEngineProxy(machine, WANTED, refuse, quietly)).changed).toBe(false);
  expect(ran).toHaveLength(3);
});

test('without consent nothing is written, and the warning says what a restart comes to', async () => {
  const told: string[] = [];
  const listen = async (warning: string) => {
    told.push(warning);
    return false;
  };
  expect((await ensureEngineProxy(machine, WANTED, listen, quietly)).changed).toBe(false);
  liveRestore = true;
  await ensureEngineProxy(machine, WANTED, listen, quietly);
  expect(told).toEqual([
    expect.stringMatching(/2 containers will stop/),
    expect.stringMatching(/go on meanwhile/),
  ]);
  await expect(stat(path())).rejects.toThrow('ENOENT');
});

test('killed between the drop-in and the restart, the next run restarts', async () => {
  await machine.made.ensure(variables(), 'proxy', variablesFile(WANTED), 0o600);
  expect((await ensureEngineProxy(machine, WANTED, agree, quietly)).changed).toBe(true);
  expect(engine?.HTTPS_PROXY).toBe(WANTED.HTTPS_PROXY);
});

test('another password alone is a difference, though the engine shows none', async () => {
  await ensureEngineProxy(machine, WANTED, agree, quietly);
  const other = { ...WANTED, HTTPS_PROXY: 'http://me:other@proxy.lan:3128' };
  expect((await ensureEngineProxy(machine, other, agree, quietly)).changed).toBe(true);
  expect(engine?.HTTPS_PROXY).toBe(other.HTTPS_PROXY);
});

test('before there is an engine the drop-in waits for it', async () => {
  engine = undefined;
  const done = await ensureEngineProxy(machine, WANTED, refuse, quietly);
  expect(done.summary).toMatch(/will start with it/);
  expect(ran).toEqual(['daemon-reload']);
  expect((await ensureEngineProxy(machine, WANTED, refuse, quietly)).changed).toBe(false);
});

test('removed, and when the settings name none any more, it is gone and the engine restarted; twice is fine', async () => {
  await ensureEngineProxy(machine, WANTED, agree, quietly);
  expect((await removeEngineProxy(machine, refuse, quietly)).changed).toBe(false);
  expect((await ensureEngineProxy(machine, undefined, agree, quietly)).changed).toBe(true);
  expect(engine).toEqual({});
  await expect(stat(join(path(), '..'))).rejects.toThrow('ENOENT');
  expect((await removeEngineProxy(machine, refuse, quietly)).changed).toBe(false);
});

test('a file of somebody else’s is not overwritten', async () => {
  await mkdir(join(path(), '..'), { recursive: true });
  await writeFile(path(), '[Service]\n');
  await expect(ensureEngineProxy(machine, WANTED, agree, quietly)).rejects.toMatchObject({
    code: 'foreign-file',
  });
});

test('who has the last word elsewhere is told', async () => {
  overridden = 'http://other:1';
  await expect(ensureEngineProxy(machine, WANTED, agree, quietly)).rejects.toMatchObject({
    code: 'proxy-overridden',
    message: expect.not.stringContaining('p%40ss'),
  });
});

test('without systemd it says what to do, unless the engine has them by other means', async () => {
  await rm(join(root, 'run'), { recursive: true });
  const none = ensureEngineProxy(machine, WANTED, agree, quietly);
  await expect(none).rejects.toMatchObject({
    code: 'no-engine-unit',
    remedy: expect.stringContaining('"proxies"'),
  });
  engine = { HTTPS_PROXY: WANTED.HTTPS_PROXY ?? '', NO_PROXY: WANTED.NO_PROXY ?? '' };
  expect((await ensureEngineProxy(machine, WANTED, agree, quietly)).summary).toMatch(/already/);
});

test('somebody who is not root is told the command', async () => {
  const person = { ...machine, root: false };
  const failed = ensureEngineProxy(person, WANTED, agree, quietly);
  await expect(failed).rejects.toMatchObject({
    code: 'root-needed',
    remedy: expect.stringContaining('sudo env'),
  });
});

test('systemd takes each value as it is', () => {
  const text = variablesFile({ ...WANTED, HTTP_PROXY: 'http://a%20b:c!*;$"@proxy' });
  expect(text).toContain('HTTP_PROXY="http://a%20b:c!*;\\$\\"@proxy"\n');
  expect(text).toContain('HTTPS_PROXY="http://me:p%40ss@proxy.lan:3128"\n');
});

test('what is near is never asked for by a proxy', () => {
  const https = parseForwardProxy('http://proxy.lan:3128');
  if (typeof https === 'string') throw new Error(https);
  const near = { names: ['r.lan'], addresses: ['10.0.0.5'], networks: ['172.17.0.0/16'] };
  const wanted = engineProxies({ http: undefined, https, except: ['.corp', 'r.lan'] }, near);
  expect(wanted?.NO_PROXY).toBe('.corp,r.lan,localhost,127.0.0.1,::1,10.0.0.5,172.17.0.0/16');
  expect(engineProxies({ http: undefined, https: undefined, except: ['.corp'] }, near)).toBeUndefined();
});

test('IPv6 addresses that last are told from those of an hour, of one link and of containers', () => {
  const text = [
    '20010db8000000000000000000000005 02 40 00 80     eth0',
    '20010db80000000000000000000000aa 02 40 00 01     eth0',
    'fe800000000000000000000000000001 02 40 20 80     eth0',
    'fd000000000000000000000000000001 03 40 00 80     br-1234',
    '00000000000000000000000000000001 01 80 10 80       lo',
  ];
  expect(lastingSix(text.join('\n'))).toEqual(['2001:db8::5']);
});
