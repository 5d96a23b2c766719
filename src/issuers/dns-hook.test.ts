import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { environment as environmentOf } from '../settings/environment.ts';
import { type Clock, eventually, systemClock } from '../system/clock.ts';
import { readIfExists } from '../system/files.ts';
import { run } from '../system/processes.ts';
import { DnsHook, type DnsHookParts } from './dns-hook.ts';

const challenge = {
  name: 'r.example',
  token: 'evaGxfADs6pSRb2LAv9IZf17',
  keyAuthorization: 'evaGx.9jg46WB3',
};
/** printf %s evaGx.9jg46WB3 | openssl dgst -sha256 -binary | basenc --base64url | tr -d = */
const VALUE = 'GpyW291JSxTldKwmr-PrDO5xSA5Lw88NTTMBSLMMxgM';
const TOKEN = 'hunter2/hunter2+"';

let folder: string;
let log: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moorage hook '));
  log = join(folder, 'log');
});

async function hook(script: string, parts: Partial<DnsHookParts> = {}): Promise<DnsHook> {
  const program = join(folder, 'my hook');
  await writeFile(program, `#!/bin/sh\nlog='${log}'\n${script}\n`);
  await chmod(program, 0o755);
  const environment = {
    PATH: environmentOf().PATH,
    HOME: '/home/me',
    LANG: 'C.UTF-8',
    AWS_SECRET: 'not yours',
  };
  return new DnsHook({ run, clock: systemClock, environment, program, envFile: undefined, ...parts });
}

async function envFile(content: string, mode = 0o600): Promise<string> {
  const file = join(folder, 'hook.env');
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

const failure = (dns: DnsHook) =>
  dns.present(challenge).then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );

test('the program is called as lego’s exec provider calls it', async () => {
  const dns = await hook('for each; do printf "%s\\n" "$each" >>"$log"; done');
  await dns.present(challenge);
  await dns.cleanUp(challenge);
  const record = ['_acme-challenge.r.example.', VALUE];
  expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual([
    'present',
    ...record,
    'cleanup',
    ...record,
  ]);
});

test('it sees the credentials and the name, and of this process’s environment three variables', async () => {
  const dns = await hook('exec env >"$log"', {
    envFile: await envFile(`API_TOKEN='${TOKEN}'\n# a remark\n`),
  });
  await dns.present(challenge);
  const seen = (await readFile(log, 'utf8'))
    .split('\n')
    .filter((line) => !/^(_|PWD|SHLVL|OLDPWD)?=|^$/.test(line));
  expect(seen.map((line) => line.split('=')[0]).sort()).toEqual([
    'API_TOKEN',
    'HOME',
    'LANG',
    'MOORAGE_DOMAIN',
    'PATH',
  ]);
  expect(seen).toContain(`API_TOKEN=${TOKEN}`);
  expect(seen).toContain('MOORAGE_DOMAIN=r.example');
});

test('two names at once: one call ends before the next begins, and each gets its turn after a failure', async () => {
  const dns = await hook(
    '[ ! -e "$log.busy" ] || exit 9; : >"$log.busy"; echo "$1" >>"$log"; rm "$log.busy"; [ $1 = cleanup ]',
  );
  const ended = await Promise.allSettled([
    dns.present(challenge),
    dns.present(challenge),
    dns.cleanUp(challenge),
  ]);
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(await readFile(log, 'utf8')).toBe('present\npresent\ncleanup\n');
});

test('any exit code but 0 is a failure that ends with the last lines of its stderr', async () => {
  const dns = await hook('echo fine; for n in 1 2 3 4 5 6 7 8 9; do echo "line $n" >&2; done; exit 3');
  expect(await failure(dns)).toMatchObject({
    code: 'dns-hook-failed',
    message: expect.stringMatching(
      /exit code 3: .*my hook present _acme-challenge\.r\.example\. \S+\n {2}line 2\n[\s\S]*line 9$/,
    ),
    remedy: expect.stringContaining('docs/dns-01.md'),
  });
});

test('a failed cleanup is told too', async () => {
  const dns = await hook('[ $1 = present ]');
  await dns.present(challenge);
  await expect(dns.cleanUp(challenge)).rejects.toMatchObject({ code: 'dns-hook-failed' });
});

test('an interpreter that is not there is said to be missing', async () => {
  const dns = await hook('');
  await writeFile(join(folder, 'my hook'), '#!/no/such/interpreter\n');
  expect(await failure(dns)).toMatchObject({ message: expect.stringContaining('not found') });
});

test('what it prints of its credentials is masked, as text, in a URL and in JSON, before lines are cut', async () => {
  const print =
    'node -e "const t = process.env.API_TOKEN; console.error(t, encodeURIComponent(t), JSON.stringify({ t }))"';
  const dns = await hook(`${print}; echo "$TWO_LINES" >&2; echo "$PREFIX" >&2; exit 1`, {
    envFile: await envFile(
      `API_TOKEN='${TOKEN}'\nPREFIX=hunter2\nTWO_LINES="first line\nsecond line"\nTTL=60`,
    ),
  });
  const error = await failure(dns);
  expect(String(error)).not.toMatch(/hunter2|first line|second line/);
  expect(error).toMatchObject({
    message: expect.stringContaining('[redacted] [redacted] {"t":"[redacted]"}'),
  });
});

test('what it prints can’t move the cursor of the person who reads the message', async () => {
  expect(String(await failure(await hook("printf '\\033[2Jgone\\007\\n' >&2; exit 1")))).toMatch(
    /\n {2}gone$/,
  );
});

test('at the end of its time the program is killed, and what it started with it', async () => {
  const started = () =>
    eventually(systemClock, { within: 20_000, every: 10 }, () => readIfExists(`${log}.both`));
  const clock: Clock = { ...systemClock, sleep: async () => void (await started()) };
  const script = 'sleep 1000 & echo $$ $! >"$log"; echo waiting >&2; mv "$log" "$log.both"; wait';
  expect(await failure(await hook(script, { clock }))).toMatchObject({
    code: 'dns-hook-timeout',
    message: expect.stringMatching(/5 minutes[\s\S]*\n {2}waiting$/),
  });
  const pids = (await readFile(`${log}.both`, 'utf8')).trim().split(' ');
  expect(pids).toHaveLength(2);
  for (const pid of pids) expect(await ended(pid)).toBe(true);
});

test('a program that ends is not waited for because of something it left behind', async () => {
  await (await hook('sleep 1000 & echo $! >"$log"')).present(challenge);
  expect(await ended((await readFile(log, 'utf8')).trim())).toBe(true);
});

test.each([0o640, 0o604, 0o620])(
  'credentials that others reach (%o) are refused before the program runs',
  async (mode) => {
    const file = await envFile(`API_TOKEN=${TOKEN}`, mode);
    const error = await failure(await hook(': >"$log"', { envFile: file }));
    expect(error).toMatchObject({ code: 'dns-hook-env', remedy: `chmod 600 '${file}'` });
    expect(await readIfExists(log)).toBeUndefined();
  },
);

test('a file of credentials that is gone is a failure, not a call without them', async () => {
  const error = await failure(await hook(': >"$log"', { envFile: join(folder, 'gone') }));
  expect(error).toMatchObject({ code: 'dns-hook-env', message: expect.stringContaining('does not exist') });
});

test('a program that has become unfit since the settings were read is not run', async () => {
  const dns = await hook(': >"$log"');
  await chmod(join(folder, 'my hook'), 0o644);
  expect(await failure(dns)).toMatchObject({
    code: 'dns-hook-unfit',
    remedy: expect.stringContaining('chmod +x'),
  });
});

test('an address has no place in the DNS to put a value', async () => {
  const dns = await hook(': >"$log"');
  await expect(dns.present({ ...challenge, name: '203.0.113.7' })).rejects.toMatchObject({
    code: 'dns-hook-unfit',
  });
});

/** A process that nobody has waited for yet is a zombie: ended as well. */
function ended(pid: string): Promise<boolean | undefined> {
  return eventually(systemClock, { within: 20_000, every: 10 }, async () => {
    const status = await readIfExists(`/proc/${pid}/stat`).catch(() => undefined);
    return status === undefined || /\) [ZX] /.test(status) ? true : undefined;
  });
}
