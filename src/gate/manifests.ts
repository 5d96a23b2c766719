import { z } from 'zod';
import { isImmutable, may, type Who } from '../access/rights.ts';
import { digestOf } from '../registry/digest.ts';
import type { Refusal } from './refusal.ts';
import type { Reference } from './route.ts';
import type { Rules } from './rulebook.ts';
import { RegistrySilent, type Upstream } from './upstream.ts';

const tagList = z.object({ tags: z.array(z.string()).nullable() });

/**
 * Why a manifest may not be pushed under a tag, if so: an immutable tag keeps its digest. The same manifest once more
 * changes nothing, so it may. Whoever asks has to hold the tag's lock until the push is through.
 */
export async function pushProblem(
  upstream: Upstream,
  { policy }: Rules,
  who: Who,
  { repository, reference, manifest }: { repository: string; reference: Reference; manifest: Buffer },
): Promise<Refusal | undefined> {
  if (reference.kind === 'digest') return undefined;
  const { tag } = reference;
  if (!isImmutable(policy, repository, tag)) return undefined;
  if (may(policy, who, 'admin', repository)) return undefined;
  const present = await upstream.digestOfTag(repository, tag);
  if (present === undefined || present === digestOf(manifest)) return undefined;
  return { kind: 'immutable', repository, tag };
}

/** Why a manifest or a blob may not be deleted, if so: an immutable tag would lose what it stands for. */
export async function deleteProblem(
  upstream: Upstream,
  { policy }: Rules,
  who: Who,
  { repository, reference }: { repository: string; reference: Reference },
): Promise<Refusal | undefined> {
  if (may(policy, who, 'admin', repository)) return undefined;
  const immutable = (tag: string) => isImmutable(policy, repository, tag);
  if (reference.kind === 'tag')
    return immutable(reference.tag) ? { kind: 'immutable', repository, tag: reference.tag } : undefined;
  const seen = new Set<string>();
  for (const tag of (await tagsOf(upstream, repository)).filter(immutable)) {
    if (await holds(upstream, repository, tag, reference.digest, seen))
      return { kind: 'immutable', repository, tag };
  }
  return undefined;
}

const index = z.object({ manifests: z.array(z.object({ digest: z.string() })) });

/**
 * Whether a manifest is that digest or names it, itself or through the manifests of its index.
 * @param seen manifests that don't: an index may name the same one many times, and so may each below it
 */
async function holds(
  upstream: Upstream,
  repository: string,
  reference: string,
  digest: string,
  seen: Set<string>,
): Promise<boolean> {
  if (reference === digest) return true;
  if (seen.has(reference)) return false;
  seen.add(reference);
  const manifest = await upstream.manifest(repository, reference);
  if (manifest === undefined) return false;
  if (digestOf(manifest) === digest || manifest.includes(digest)) return true;
  const children = index.safeParse(JSON.parse(manifest.toString()));
  for (const child of children.data?.manifests ?? []) {
    if (await holds(upstream, repository, child.digest, digest, seen)) return true;
  }
  return false;
}

const PAGE = 1000;

/** All tags (end-8b); distribution 2 ignores `n` and `last` and gives them all at once. */
async function tagsOf(upstream: Upstream, repository: string): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    const last = all.at(-1);
    const query = new URLSearchParams({ n: String(PAGE), ...(last === undefined ? {} : { last }) });
    const answer = await upstream.read({ method: 'GET', uri: `/v2/${repository}/tags/list?${query}` });
    if (answer.status === 404) return all;
    if (answer.status !== 200)
      throw new RegistrySilent(`the tags of ${repository} were answered with ${answer.status}`);
    const tags = tagList.parse(JSON.parse(answer.body.toString())).tags ?? [];
    all.push(...tags);
    if (answer.headers.link === undefined || tags.length === 0) return all;
  }
}
