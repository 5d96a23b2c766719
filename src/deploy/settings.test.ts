import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse } from 'dotenv';
import { expect, test } from 'vitest';
import { makeTestCa } from '../../test/support/test-ca.ts';
import { WrongInput } from '../errors.ts';
import { paths as pathsOf } from '../paths.ts';
import { parseSet, planSettings, readGiven, textWith } from './settings.ts';

const FAR = { name: 'web1', address: '192.0.2.7', folder: '/srv/moorage' };

async function checkout(env?: string) {
  const paths = pathsOf(await mkdtemp(join(tmpdir(), 'moorage-deploy-')));
  await writeFile(
    paths.envExample,
    'DOMAIN=localhost\n#EMAIL=\n#HTTP_PORT=80\n#HTTPS_PORT=443\n#S3_CA_BUNDLE=\n#MIRROR_PASSWORD=\n#BACKUP_PASSWORD=\n',
  );
  if (env !== undefined) await writeFile(paths.envFile, env);
  return paths;
}

const BLOCK = '# --- Written by init-tls. Change the settings above instead. ---';

test('what travels is the person’s own settings, without those of this machine alone', async () => {
  const paths = await checkout(
    `DOMAIN=localhost\nEMAIL=me@example.com\nBACKUP_PASSWORD=x\nMINE=1\nRENEWER_REPLICAS=0\n${BLOCK}\nREGISTRY_HTTP_SECRET=s\nRENEWER_REPLICAS=0\nBACKUP_PASSWORD=y\nHTTP_PORT=81\n`,
  );
  expect(await readGiven(paths, undefined)).toEqual({ EMAIL: 'me@example.com', HTTP_PORT: '81' });
});

test('a file that is named is taken as it is, and has to be there', async () => {
  const paths = await checkout();
  const file = join(paths.root, 'other.env');
  await expect(readGiven(paths, file)).rejects.toMatchObject({ problems: [{ input: '--settings' }] });
  await writeFile(file, 'DOMAIN=r.example\nBACKUP_PASSWORD=x\n');
  expect(await readGiven(paths, file)).toEqual({ DOMAIN: 'r.example', BACKUP_PASSWORD: 'x' });
});

test('--set takes a name and a value, which may be empty or have a = in it', () => {
  expect(parseSet(['EMAIL=', 'MIRROR_PASSWORD=a=b'])).toEqual({
    EMAIL: '',
    MIRROR_PASSWORD: 'a=b',
  });
  for (const text of ['EMAIL', 'NO_SUCH=1', 'REGISTRY_HTTP_SECRET=x', '=1'])
    expect(() => parseSet([text])).toThrow(WrongInput);
});

test('a far .env keeps its other lines, its comments and what init-tls wrote', async () => {
  const far = `# ours\nDOMAIN=r.example\nHTTPS_PORT=8443 # odd\nEMAIL=a@b.example\n\n${BLOCK}\nSTATE_OWNER=0:0\n`;
  const plan = await planSettings(await checkout(), FAR, far, { EMAIL: '', HTTP_PORT: '8080' });
  expect(plan.changed).toEqual(['EMAIL', 'HTTP_PORT']);
  expect(plan.text).toBe(
    `# ours\nDOMAIN=r.example\nHTTPS_PORT=8443 # odd\nHTTP_PORT=8080\n\n${BLOCK}\nSTATE_OWNER=0:0\n`,
  );
  expect(plan.settings).toMatchObject({
    domain: 'r.example',
    httpPort: 8080,
    httpsPort: 8443,
    registryDataDirectory: '/srv/moorage/registry/data',
  });
});

test('the same settings again are no change', async () => {
  const paths = await checkout();
  const given = { DOMAIN: 'r.example', MIRROR_PASSWORD: 'x=y', BACKUP_PASSWORD: '$x # y' };
  const first = await planSettings(paths, FAR, undefined, given);
  expect(parse(first.text)).toMatchObject(given);
  expect(await planSettings(paths, FAR, first.text, given)).toMatchObject({ text: first.text, changed: [] });
});

test.each([
  ['localhost', { DOMAIN: 'localhost' }, 'DOMAIN', 'DOMAIN=192.0.2.7'],
  ['no name at all', {}, 'DOMAIN', '--set DOMAIN='],
  ['a value that is none', { DOMAIN: 'r.example', HTTP_PORT: 'x' }, 'HTTP_PORT', 'port'],
  ['values that do not go together', { DOMAIN: 'r.example', HTTP_PORT: '443' }, 'HTTPS_PORT', 'HTTP_PORT'],
  ['a name that is no setting', { DOMAIN: 'r.example', FOO: '1' }, 'FOO', 'not a setting'],
  [
    'a line break',
    { DOMAIN: 'r.example', MIRROR_PASSWORD: 'a\nDOMAIN=evil' },
    'MIRROR_PASSWORD',
    'line break',
  ],
  ['a file outside', { DOMAIN: 'r.example', S3_CA_BUNDLE: './../ca.pem' }, 'S3_CA_BUNDLE', 'outside'],
  [
    'a file that is not there',
    { DOMAIN: 'r.example', S3_CA_BUNDLE: './ca.pem' },
    'S3_CA_BUNDLE',
    'not exist',
  ],
])('%s is refused, naming the setting and the machine', async (_, given, setting, message) => {
  await expect(planSettings(await checkout(), FAR, undefined, given)).rejects.toMatchObject({
    problems: [{ input: `${setting} (web1)`, message: expect.stringContaining(message) }],
  });
});

test('an absolute path is the far machine’s; what stands in the checkout goes along', async () => {
  const paths = await checkout();
  const { trust } = await makeTestCa(join(paths.root, 'certs'));
  const near = { DOMAIN: 'r.example', S3_CA_BUNDLE: `./${relative(paths.root, trust)}` };
  const { files } = await planSettings(paths, FAR, undefined, near);
  expect(files).toEqual([{ path: relative(paths.root, trust), content: await readFile(trust, 'utf8') }]);
  const plan = await planSettings(paths, FAR, undefined, {
    DOMAIN: 'r.example',
    S3_CA_BUNDLE: '/etc/ca.pem',
  });
  expect(plan.files).toEqual([]);
});

test('a \\ before the quote that a value needs is refused: Compose would read on in the next line', async () => {
  const plan = async (value: string) =>
    planSettings(await checkout(), FAR, undefined, { DOMAIN: 'r.example', BACKUP_PASSWORD: value });
  for (const value of ['a$b\\', 'a#b\\', '"a\\'])
    await expect(plan(value)).rejects.toMatchObject({ problems: [{ input: 'BACKUP_PASSWORD (web1)' }] });
  for (const value of ['ab\\', 'a\\$b']) expect(parse((await plan(value)).text).BACKUP_PASSWORD).toBe(value);
});

test('what was written there since a plan was made stays', async () => {
  const given = { DOMAIN: 'r.example', AUTH_TTL: '20', EMAIL: '' };
  const { text } = await planSettings(await checkout(), FAR, 'EMAIL=a@b.example\nAUTH_TTL=10\n', given);
  const since = `EMAIL=a@b.example\nAUTH_TTL=10\nDISK_RESERVE=5GiB\n\n${'# --- Written by init-tls. Change the settings above instead. ---'}\nLISTEN=tls\n`;
  expect(textWith(since, given)).toBe(
    since
      .replace('EMAIL=a@b.example\n', '')
      .replace('=10', '=20')
      .replace('5GiB\n', '5GiB\nDOMAIN=r.example\n'),
  );
  expect(textWith(text, given)).toBe(text);
});
