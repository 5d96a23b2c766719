import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checkout, loginOf } from '../support/checkout.ts';
import { type StandIn, standInFor, type Told } from '../support/stand-in.ts';

const SOON = { timeout: 60_000, interval: 100 };
/** Each method where it has something to do. */
const REQUESTS = [
  ['GET', '/v2/'],
  ['HEAD', '/v2/'],
  ['POST', '/v2/team/app/blobs/uploads/'],
  ['PATCH', '/v2/team/app/blobs/uploads/an-id'],
  ['PUT', '/v2/team/app/blobs/uploads/an-id'],
  ['PUT', '/v2/team/app/manifests/v1'],
  ['DELETE', '/v2/team/app/manifests/v1'],
  ['GET', '/v2/_catalog'],
] as const;

let checkout: Checkout;
let login: string;

beforeAll(async () => {
  checkout = await Checkout.make();
  login = loginOf(await checkout.init());
});

afterAll(() => checkout.dispose());

async function curl(path: string, ...args: string[]): Promise<string> {
  const url = `https://${checkout.authority}${path}`;
  return (await checkout.run('curl', ['-sS', '--path-as-is', '--cacert', 'var/ca/ca.crt', ...args, url]))
    .stdout;
}

const status = (...args: string[]) =>
  curl('/v2/', '-o', '/dev/null', '-w', '%{http_code}', '-u', login, ...args);
const tell = async (path: string, ...args: string[]): Promise<Told> => JSON.parse(await curl(path, ...args));

describe('the parts behind nginx', () => {
  test.each(['gate', 'registry'])('%s has no network: no address and no way out', async (part) => {
    expect(await inspect(part, '{{.HostConfig.NetworkMode}} {{.NetworkSettings.Ports}}')).toBe('none map[]');
    expect(await inspect(part, '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')).toBe('');
    const routes = await checkout.compose('exec', '-T', part, 'cat', '/proc/net/route');
    expect(routes.stdout.trim().split('\n')).toHaveLength(1); // the head of the table
  });

  test('the gate can write nothing but its own state, has no engine and runs as the owner of the state', async () => {
    const user = `${process.getuid?.()}:${process.getgid?.()}`;
    expect(
      await inspect('gate', '{{.HostConfig.CapDrop}} {{.HostConfig.ReadonlyRootfs}} {{.Config.User}}'),
    ).toBe(`[ALL] true ${user}`);
    expect(await inspect('gate', '{{range .Mounts}}{{.Destination}}:{{.RW}} {{end}}')).not.toContain(
      'docker',
    );
    for (const [place, can] of [
      ['/', 1],
      ['/moorage/registry/auth', 1],
      ['/run/registry', 1],
      ['/moorage/var/gate', 0],
    ] as const) {
      const { exitCode } = await checkout.compose('exec', '-T', 'gate', 'touch', `${place}/x`);
      expect({ place, exitCode }).toEqual({ place, exitCode: can });
    }
  });
});

describe('what reaches gate and registry', () => {
  const standIns: StandIn[] = [];
  beforeAll(async () => {
    for (const part of ['gate', 'registry'] as const) standIns.push(await standInFor(checkout, part));
  });
  afterAll(async () => {
    for (const each of standIns) await each.leave();
  });

  const forged = ['X-Uri', 'X-Method', 'X-Address', 'X-Forwarded-For', 'Forwarded', 'X-Forwarded-Host'];
  const forging = forged.flatMap((name) => ['-H', `${name}: 192.0.2.66`]);

  test('what the client says in the parts’ own headers reaches neither', async () => {
    const own = [...forging, '-H', 'X-Forwarded-Proto: gopher'];
    for (const path of ['/v2/x', '/v2/x/blobs/refused', '/v2/x/blobs/allowed'])
      expect(await curl(path, ...own)).not.toMatch(/192\.0\.2\.66|gopher/);
  });

  test('the gate is told the URI as it was written, and a refused request comes to it whole', async () => {
    const path = '/v2/refused%2fapp/..//blobs/x?n=%31&last=';
    const told = await tell(path, '-u', 'a:b', '-X', 'DELETE', '-H', 'Accept: x/y', '-H', 'X-Other: 1');
    const address = told.headers['x-address'];
    expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const asked = { 'x-method': 'DELETE', 'x-uri': path, 'x-address': address, authorization: 'Basic YTpi' };
    expect(told).toMatchObject({ by: '/run/gate/gate.sock', method: 'DELETE', url: path });
    expect(told.question?.headers).toMatchObject(asked);
    expect(told.headers).toMatchObject({ ...asked, accept: 'x/y' });
    expect(told.headers).not.toHaveProperty('x-other');
  });

  test('what is no blob goes to the gate without a question', async () => {
    const path = '/v2/a%2fb/blobs/..//manifests/x?n=%31';
    const told = await tell(path, '-u', 'a:b', '-H', 'If-None-Match: "x"');
    expect(told).toMatchObject({
      by: '/run/gate/gate.sock',
      url: path,
      headers: { 'x-uri': path, authorization: 'Basic YTpi', 'if-none-match': '"x"' },
    });
    expect(told.question?.headers['x-uri']).not.toBe(path);
  });

  test('the gate is told of range and length, and that there is a condition', async () => {
    const asked = async (...headers: string[]) =>
      (await tell('/v2/refused/blobs/x', ...headers.flatMap((each) => ['-H', each]))).question?.headers;
    expect(await asked('Range: bytes=0-1')).toMatchObject({ range: 'bytes=0-1' });
    expect(await asked('Content-Length: 0')).toMatchObject({ 'x-content-length': '0' });
    for (const name of ['Match', 'None-Match', 'Modified-Since', 'Unmodified-Since', 'Range'])
      expect(await asked(`If-${name}: x`)).toMatchObject({ 'x-conditional': 'yes' });
    expect(await asked('X-Conditional: yes')).not.toHaveProperty('x-conditional');
  });

  test('the registry gets the request as it was written, but never the password', async () => {
    const path = '/v2/a%2fb/..//blobs/x?n=%31';
    const told = await tell(path, '-u', 'a:b', '-H', 'Range: bytes=0-1');
    expect(told).toMatchObject({
      by: '/run/registry/registry.sock',
      url: path,
      headers: { range: 'bytes=0-1' },
    });
    expect(told.headers).not.toHaveProperty('authorization');
  });

  test.each([
    ['application/x-www-form-urlencoded', 'application/octet-stream'],
    ['Multipart/Form-Data; boundary=x', 'application/octet-stream'],
    ['\u00a0application/x-www-form-urlencoded', 'application/octet-stream'],
    ['appl\u0130cation/x-www-form-urlencoded', 'application/octet-stream'],
    ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.manifest.v1+json'],
  ])('no body is a form to the registry: %j', async (type, passedOn) => {
    const told = await tell('/v2/x/blobs/uploads/', '-d', 'mount=a&from=b', '-H', `Content-Type: ${type}`);
    expect(told).toMatchObject({ bytes: 14, headers: { 'content-type': passedOn } });
  });

  test.each(['--http1.1', '--http2'])(
    'a body of 1 MB comes whole, to either of them: %s',
    async (version) => {
      const bytes = randomBytes(1_000_000);
      await writeFile(join(checkout.root, 'var/body'), bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      for (const by of ['gate', 'registry'])
        for (const how of [[], ['-H', 'Transfer-Encoding: chunked'], ['-H', 'Expect: 100-continue']]) {
          const path = by === 'gate' ? '/v2/refused/blobs/x' : '/v2/allowed/blobs/x';
          const told = await tell(path, version, '-T', 'var/body', ...(version === '--http2' ? [] : how));
          expect(told).toMatchObject({
            by: `/run/${by}/${by}.sock`,
            method: 'PUT',
            bytes: 1_000_000,
            sha256,
          });
        }
    },
  );

  test('headers and URIs as long as nginx takes them', async () => {
    const long = 'a'.repeat(7_000);
    const headers = ['User-Agent', 'Accept', 'Authorization'].flatMap((name) => ['-H', `${name}: ${long}`]);
    for (const path of [`/v2/refused/blobs/${long}`, `/v2/allowed/blobs/${long}`, `/v2/${long}`])
      expect((await tell(path, ...headers)).url).toBe(path);
  });

  test('a layer goes through while it comes: nothing waits on nginx’s disk', async () => {
    const { received: before } = await tell('/v2/x/blobs/y');
    const upload = request({
      host: '127.0.0.1',
      port: checkout.env.HTTPS_PORT,
      path: '/v2/x/blobs/uploads/y',
      method: 'PATCH',
      rejectUnauthorized: false,
      headers: { 'content-length': 200_000_000 },
    });
    const answer = new Promise<Told>((resolve, reject) => {
      upload.once('error', reject);
      upload.once('response', (response) => resolve(text(response).then(JSON.parse)));
    });
    upload.write(randomBytes(100_000_000));
    await expect.poll(async () => (await tell('/v2/x/blobs/y')).received - before, SOON).toBe(100_000_000);
    upload.end(randomBytes(100_000_000));
    expect((await answer).bytes).toBe(200_000_000);
  });
});

describe('when a part is away', () => {
  test.each(['gate', 'registry'])(
    'without the %s: 503, when to come again, and why; then all is well',
    async (part) => {
      await expect.poll(() => status(), SOON).toBe('200');
      const nginx = await inspect('nginx', '{{.Id}} {{.State.StartedAt}}');
      await checkout.compose('kill', part);
      const refused = REQUESTS.map(async ([method, path]) => {
        const body = ['POST', 'PUT', 'PATCH'].includes(method) ? ['-d', 'x'.repeat(100_000)] : [];
        const how = method === 'HEAD' ? ['-I'] : ['-i', '-X', method, ...body];
        const answer = await curl(path, '-u', login, ...how);
        expect(answer).toMatch(/^HTTP\/2 503 .*^retry-after: \d+/ims);
        if (method !== 'HEAD') expect(answer).toContain(`"message":"the ${part} does not answer`);
      });
      await Promise.all(refused); // each waits for a while
      await checkout.compose('start', part);
      await expect.poll(() => status(), SOON).toBe('200');
      await checkout.compose('up', '-d', '--force-recreate', '--no-deps', part);
      await expect.poll(() => status(), SOON).toBe('200');
      expect(await inspect('nginx', '{{.Id}} {{.State.StartedAt}}')).toBe(nginx);
    },
  );

  test.each(['gate', 'registry'])(
    'the %s is recreated under requests: they wait, and each is answered',
    async (part) => {
      const answers = new Set<string>();
      let going = true;
      const ask = async () => {
        while (going) answers.add(await status());
      };
      const asking = [ask(), ask(), ask()];
      await checkout.compose('up', '-d', '--force-recreate', '--no-deps', part);
      going = false;
      await Promise.all(asking);
      expect([...answers]).toEqual(['200']);
    },
  );
});

async function inspect(part: string, format: string): Promise<string> {
  const { stdout: id } = await checkout.compose('ps', '--all', '-q', part);
  return (await checkout.run('docker', ['inspect', '-f', format, id.trim()])).stdout.trim();
}
