import { z } from 'zod';
import { Failure } from '../errors.ts';
import { parseAs } from '../system/json.ts';

/** What the registry answered; `text` of everything but blobs. Status 0: nothing. */
export interface Answered {
  readonly status: number;
  /** Of the body as it came. */
  readonly digest: string;
  readonly text: string;
}

/** Asks the registry for paths under `/v2/`. */
export type Ask = (paths: readonly string[]) => Promise<readonly Answered[]>;

/** An image that was there before an upgrade. */
export interface Sample {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  /** Blobs of it that are small enough to be fetched just to see. */
  readonly blobs: readonly string[];
}

const SAMPLES = 3;
const REPOSITORIES = 20;
const LARGEST = 16 * 1024 * 1024;

const catalog = z.object({ repositories: z.array(z.string()).nullable() });
const tags = z.object({ tags: z.array(z.string()).nullable() });
const descriptor = z.object({ digest: z.string(), size: z.number() });
const manifest = z.object({ config: descriptor.optional(), layers: z.array(descriptor).optional() });

/** A few images of different repositories that can be pulled now. */
export async function chooseSamples(ask: Ask): Promise<readonly Sample[]> {
  const [listed] = await ask([`/v2/_catalog?n=${REPOSITORIES}`]);
  const repositories = answered(catalog, listed)?.repositories ?? [];
  const samples: Sample[] = [];
  for (const repository of repositories) {
    if (samples.length === SAMPLES) break;
    const sample = await sampleOf(ask, repository);
    if (sample !== undefined) samples.push(sample);
  }
  return samples;
}

async function sampleOf(ask: Ask, repository: string): Promise<Sample | undefined> {
  const [listed] = await ask([`/v2/${repository}/tags/list`]);
  const tag = answered(tags, listed)?.tags?.[0];
  if (tag === undefined) return undefined;
  const [answer] = await ask([`/v2/${repository}/manifests/${tag}`]);
  const read = answered(manifest, answer);
  if (answer === undefined || read === undefined) return undefined;
  const parts = [...(read.config === undefined ? [] : [read.config]), ...(read.layers ?? [])];
  const blobs = parts.filter(({ size }) => size <= LARGEST).map(({ digest }) => digest);
  const sample = { repository, tag, digest: answer.digest, blobs: blobs.slice(0, 2) };
  // Images that can't be pulled even now prove nothing.
  return (await problemsOf(ask, sample)).length === 0 ? sample : undefined;
}

/**
 * Pulls what was there before. An image that somebody deleted meanwhile is no harm, unless it is all of them.
 * @throws Failure `images-lost`
 */
export async function expectSamples(ask: Ask, samples: readonly Sample[]): Promise<void> {
  const found = await Promise.all(samples.map((sample) => problemsOf(ask, sample)));
  const gone = found.filter(isGone).length;
  const problems = found.filter((each) => !isGone(each) || gone === samples.length).flat();
  if (problems.length === 0) return;
  throw new Failure(
    'images-lost',
    `Images that were there before do not come back as they were: ${problems.map(({ words }) => words).join('; ')}.`,
    'Look into the logs: docker compose logs registry',
  );
}

function isGone([first]: readonly Problem[]): boolean {
  return first?.status === 404 && first.path.includes('/manifests/');
}

interface Problem {
  readonly path: string;
  readonly status: number;
  readonly words: string;
}

async function problemsOf(ask: Ask, { repository, digest, blobs }: Sample): Promise<Problem[]> {
  const paths = [
    { path: `/v2/${repository}/manifests/${digest}`, wanted: digest },
    ...blobs.map((blob) => ({ path: `/v2/${repository}/blobs/${blob}`, wanted: blob })),
  ];
  const answers = await ask(paths.map(({ path }) => path));
  return paths.flatMap(({ path, wanted }, index) => {
    const { status, digest: came } = answers[index] ?? { status: 0, digest: '' };
    // To the bucket (S3_REDIRECT): what is there the proof has seen.
    if (status === 307 || (status === 200 && came === wanted)) return [];
    return [{ path, status, words: `GET ${path} was answered with ${status === 200 ? came : status}` }];
  });
}

function answered<T>(schema: z.ZodType<T>, answer: Answered | undefined): T | undefined {
  return answer?.status === 200 ? parseAs(answer.text, schema) : undefined;
}
