import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { wrongInput } from '../../test/support/wrong-input.ts';
import { paths } from '../paths.ts';
import { loadSettings } from './load.ts';

const BUCKET = { STORAGE: 's3', S3_BUCKET: 'images', S3_ACCESS_KEY: 'AKIA7', S3_SECRET_KEY: 'a/b+c' };
const SERVER = { ...BUCKET, S3_ENDPOINT: 'https://s3.lan' };
const root = await mkdtemp(join(tmpdir(), 'moorage storage '));
const load = (values: Record<string, string>) => loadSettings(paths(root), values);

const problems = (values: Record<string, string>) => wrongInput(load(values));

test('with nothing set, images are files and the registry remembers them by itself', async () => {
  expect(await load({})).toMatchObject({ storage: { kind: 'filesystem' }, cache: { kind: 'memory' } });
});

test('a bucket of AWS needs its name and two keys', async () => {
  const { storage } = await load(BUCKET);
  expect(storage).toMatchObject({ kind: 's3', endpoint: undefined, region: 'us-east-1', rootDirectory: '' });
  expect(storage).toMatchObject({ pathStyle: false, redirect: false, trust: undefined });
});

test('a server of one’s own is asked by path, and a folder needs no slashes', async () => {
  const { storage } = await load({
    ...SERVER,
    S3_ENDPOINT: 'http://10.0.0.5:9000/',
    S3_ROOT_DIRECTORY: '/a/b/',
  });
  const endpoint = { origin: 'http://10.0.0.5:9000', host: '10.0.0.5', tls: false };
  expect(storage).toMatchObject({ endpoint, pathStyle: true, rootDirectory: 'a/b' });
});

test.each([
  ['stack', { kind: 'stack' }],
  ['redis://cache.lan', { kind: 'server', host: 'cache.lan', port: 6379, database: 0, user: undefined }],
  ['redis://:pw@[fd00::1]:7000/3', { kind: 'server', host: 'fd00::1', port: 7000, database: 3 }],
  ['redis://cache.lan:6380/', { kind: 'server', host: 'cache.lan', port: 6380, database: 0 }],
])('REDIS_URL=%s is understood', async (REDIS_URL, cache) => {
  expect((await load({ REDIS_URL })).cache).toMatchObject(cache);
});

test('user and password of REDIS_URL are decoded, and shown nowhere', async () => {
  const REDIS_URL = 'redis://ada:p%40ss%2Fword@cache.lan';
  const settings = await load({ REDIS_URL, REGISTRY_IMAGE: 'registry:3.0.0' });
  const { cache } = settings;
  expect(cache.kind === 'server' && [cache.user, cache.password?.reveal()]).toEqual(['ada', 'p@ss/word']);
  expect(inspect(settings, { depth: 9 }) + JSON.stringify(settings)).not.toContain('p@ss');
});

test('the secret key is shown nowhere', async () => {
  const settings = await load(BUCKET);
  expect(inspect(settings, { depth: 9 }) + JSON.stringify(settings)).not.toContain('a/b+c');
});

test.each([
  ['STORAGE', 'disk', /STORAGE: "disk" must be filesystem or s3/],
  ['STORAGE', 'S3', /STORAGE: "S3" must be filesystem or s3/],
  ['S3_ENDPOINT', 's3.example.com', /"s3.example.com" is no URL like https/],
  ['S3_ENDPOINT', 'ftp://s3.example.com', /is no URL like https/],
  ['S3_ENDPOINT', 'https://s3.example.com/images', /has a path; the bucket goes into S3_BUCKET/],
  ['S3_ENDPOINT', 'https://u:p@s3.example.com', /must not carry keys/],
  ['S3_ENDPOINT', 'https://a_b.example', /a_b.example, which is not a host name/],
  ['S3_REGION', 'eu central', /"eu central" is not the name of a region/],
  ['S3_REGION', 'eu_central', /is not the name of a region/],
  ['S3_BUCKET', 'My_Bucket', /"My_Bucket" is not the name of a bucket: 3 to 63/],
  ['S3_BUCKET', 'ab', /is not the name of a bucket/],
  ['S3_BUCKET', '10.0.0.1', /is not the name of a bucket/],
  ['S3_BUCKET', 'images/app', /is not the name of a bucket/],
  ['S3_ACCESS_KEY', 'a b', /S3_ACCESS_KEY: "a b" has a space/],
  ['S3_ACCESS_KEY', 'a"b', /make another key/],
  ['S3_SECRET_KEY', 'hush$1', /S3_SECRET_KEY: has a space, a quote/],
  ['S3_SECRET_KEY', "hush'1", /make another key/],
  ['S3_ROOT_DIRECTORY', '../up', /has an empty part/],
  ['S3_ROOT_DIRECTORY', 'a//b', /has an empty part/],
  ['S3_ROOT_DIRECTORY', 'a b', /other characters than/],
  ['S3_PATH_STYLE', 'yes', /"yes" must be true or false/],
  ['S3_REDIRECT', 'on', /"on" must be true or false/],
  ['S3_CA_BUNDLE', 'ca.pem', /must begin with/],
  ['S3_CA_BUNDLE', '/nowhere/ca.pem', /"\/nowhere\/ca.pem" does not exist/],
  ['S3_CA_BUNDLE', '/etc/hostname', /holds no PEM certificate/],
  ['REDIS_URL', 'localhost:6379', /is neither `stack` nor a URL/],
  ['REDIS_URL', 'true', /is neither `stack` nor a URL/],
  ['REDIS_URL', 'rediss://hush@cache.lan', /asks for TLS/],
  ['REDIS_URL', 'redis://cache.lan/first', /must end with the number of a database/],
  ['REDIS_URL', 'redis://:hush%zz@cache.lan', /begins no %XX/],
  ['REDIS_URL', 'redis://:hush%24@cache.lan', /give Redis another password/],
  ['REDIS_URL', 'redis://hush@cache.lan', /names a user and no password/],
  ['REDIS_URL', 'redis://a_b', /names a host that is not a host name/],
  ['REDIS_IMAGE', 'valkey/valkey', /has no tag/],
  ['REDIS_IMAGE', 'valkey/valkey:latest', /latest/],
])('%s=%s is refused', async (name, value, reason) => {
  const told = await problems({ ...SERVER, [name]: value });
  expect(told).toMatch(reason);
  expect(told).toMatch(new RegExp(`^${name}: `));
  expect(told).not.toContain('hush');
});

test.each<[Record<string, string>, RegExp]>([
  [{ STORAGE: 's3' }, /S3_BUCKET: is needed.*\n.*S3_ACCESS_KEY: is needed.*\n.*S3_SECRET_KEY: is needed/],
  [{ ...SERVER, S3_ENDPOINT: 'http://localhost:9000' }, /S3_ENDPOINT: .*this machine alone.*container/],
  [{ ...SERVER, S3_ENDPOINT: 'http://127.0.0.1:9000' }, /S3_ENDPOINT: .*this machine alone.*container/],
  [{ ...SERVER, S3_ENDPOINT: 'http://[::1]:9000' }, /S3_ENDPOINT: .*this machine alone.*container/],
  [{ ...SERVER, S3_ENDPOINT: 'http://s3.localhost' }, /S3_ENDPOINT: .*this machine alone.*container/],
  [
    { ...SERVER, S3_REDIRECT: 'true', DOMAIN: 'r.example.com' },
    /S3_REDIRECT: .*r.example.com to s3.lan.*use false/,
  ],
  [
    { ...SERVER, S3_ENDPOINT: 'http://s3.lan', S3_CA_BUNDLE: '/etc/ssl/certs/ca-certificates.crt' },
    /S3_CA_BUNDLE: is for an https/,
  ],
  [{ ...SERVER, S3_PATH_STYLE: 'false' }, /S3_PATH_STYLE: "false" with S3_ENDPOINT needs distribution 3/],
  [{ ...BUCKET, S3_PATH_STYLE: 'true' }, /S3_PATH_STYLE: "true" without S3_ENDPOINT needs distribution 3/],
  [
    { ...BUCKET, S3_BUCKET: 'a.b', S3_REGION: 'eu-west-1' },
    /S3_BUCKET: "a.b" .*S3_ENDPOINT=https:\/\/s3.eu-west-1.amazonaws.com/,
  ],
  [{ REDIS_URL: 'redis://localhost' }, /REDIS_URL: names localhost.*container/],
  [{ REDIS_URL: 'redis://:hush@127.0.0.1' }, /REDIS_URL: names 127.0.0.1.*`stack`/],
  [{ REDIS_URL: 'redis://ada:hush@cache.lan' }, /REDIS_URL: names a user, which needs distribution 3/],
])('what is right alone and wrong together is refused: %j', async (values, reason) => {
  const told = await problems(values);
  expect(told).toMatch(reason);
  expect(told).not.toContain('hush');
});

test.each<Record<string, string>>([
  { ...SERVER, S3_REDIRECT: 'true', DOMAIN: 'registry.lan' },
  { ...SERVER, S3_REDIRECT: 'true', DOMAIN: 'r.example.com', S3_ENDPOINT: 'https://s3.example.com' },
  { ...SERVER, S3_PATH_STYLE: 'false', REGISTRY_IMAGE: 'registry:3.0.0' },
  { ...SERVER, S3_BUCKET: 'a.b' },
  { ...SERVER, STORAGE: 'filesystem', S3_ENDPOINT: 'http://localhost' },
])('what goes together is taken: %j', async (values) => {
  expect(await problems(values)).toBe('');
});
