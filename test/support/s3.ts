import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import { BASE_IMAGE } from '../../src/images/catalog.ts';
import { paths } from '../../src/paths.ts';
import { Secret } from '../../src/secret.ts';
import type { Bucket } from '../../src/settings/storage.ts';
import { type Ask, openBucket } from '../../src/storage/bucket-client.ts';
import { eventually, systemClock } from '../../src/system/clock.ts';
import { ensureBaseImage } from './built-images.ts';

const IMAGE = 'moorage-test/s3:2.35';
const READY = { within: 60_000, every: 200 };

/** Whom test/images/s3/proxy-server.conf knows. The reader may do nothing with buckets that are not its own. */
const OWNER = { accessKey: 'moorage:registry', secretKey: 'not-so-secret' };
export const READER = { accessKey: 'moorage:reader', secretKey: 'reads-only' };

/** A real S3 server with one bucket, on the address of this machine that containers reach. */
export interface S3Server {
  /** Address of this machine in the engine's network. */
  readonly host: string;
  readonly port: number;
  readonly bucket: Bucket;
  readonly ask: Ask;
  /** The settings of a registry that keeps its images there. */
  readonly settings: Readonly<Record<string, string>>;
  readonly dispose: () => Promise<void>;
}

export async function startS3(): Promise<S3Server> {
  await buildImage();
  const host = await engineAddress();
  const name = `moorage-test-s3-${randomBytes(4).toString('hex')}`;
  await execa('docker', ['run', '--detach', '--init', '--name', name, '--publish', `${host}::9000`, IMAGE]);
  const dispose = async () => {
    await execa('docker', ['rm', '--force', '--volumes', name]);
  };
  const { stdout } = await execa('docker', ['port', name, '9000/tcp']);
  const port = Number(stdout.slice(stdout.lastIndexOf(':') + 1));
  const bucket = bucketAt(`http://${host}:${port}`, host);
  const ask = await openBucket(bucket, systemClock);
  const made = async () => ((await ask('PUT', '').catch(() => undefined))?.status === 200 ? true : undefined);
  if ((await eventually(systemClock, READY, made)) === undefined) {
    const { all } = await execa('docker', ['logs', name], { all: true });
    await dispose();
    throw new Error(`the S3 server does not start: ${all}`);
  }
  return { host, port, bucket, ask, settings: settingsFor(bucket), dispose };
}

/** The settings that lead a registry to the bucket. */
function settingsFor({ endpoint, bucket, accessKey, secretKey, rootDirectory }: Bucket) {
  return {
    STORAGE: 's3',
    S3_ENDPOINT: endpoint?.origin ?? '',
    S3_BUCKET: bucket,
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey.reveal(),
    S3_ROOT_DIRECTORY: rootDirectory,
  };
}

/** Of the engine's default network: containers of every network reach it, and so does this machine. */
export async function engineAddress(): Promise<string> {
  const gateway = '{{(index .IPAM.Config 0).Gateway}}';
  return (await execa('docker', ['network', 'inspect', 'bridge', '--format', gateway])).stdout.trim();
}

function bucketAt(origin: string, host: string): Bucket {
  return {
    endpoint: { origin, host, tls: false },
    region: 'us-east-1',
    bucket: 'images',
    accessKey: OWNER.accessKey,
    secretKey: new Secret(OWNER.secretKey),
    rootDirectory: 'registries/one',
    pathStyle: true,
    redirect: false,
    trust: undefined,
  };
}

async function buildImage(): Promise<void> {
  await ensureBaseImage();
  const context = join(paths().root, 'test/images/s3');
  const base = ['--build-arg', `BASE=${BASE_IMAGE}`];
  await execa('docker', ['build', '-q', '--network', 'host', ...base, '-t', IMAGE, context]);
}
