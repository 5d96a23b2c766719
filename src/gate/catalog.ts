import { z } from 'zod';
import { RegistrySilent, type Upstream } from './upstream.ts';
import { readUri } from './uri.ts';

/** A part of the list of repositories, and where the next one begins. */
export interface CatalogPage {
  readonly repositories: readonly string[];
  /** The last name of this page, when there is more. */
  readonly next: string | undefined;
}

/** distribution's own (registry/handlers/catalog.go). */
const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 1000;

const page = z.object({ repositories: z.array(z.string()).nullable() });

/** What `n` and `last` of a request ask for, or `undefined` when `n` is no number. */
export function readPage(uri: string): { last: string; limit: number } | undefined {
  const read = readUri(uri);
  if (!read.ok) return undefined;
  const firstOf = (wanted: string) => read.query.find(([name]) => name === wanted)?.[1];
  const wanted = firstOf('n') ?? String(DEFAULT_LIMIT);
  if (!/^\d{1,9}$/.test(wanted)) return undefined;
  return { last: firstOf('last') ?? '', limit: Math.min(Number(wanted), HIGHEST_LIMIT) };
}

/**
 * The repositories that `visible` lets through, in the registry's order, as one page of at most `limit`.
 * @param last names up to this one are left out (distribution spec 1.1, "Listing Repositories" of Docker's v2 API)
 * @throws RegistrySilent
 */
export async function listRepositories(
  upstream: Upstream,
  { last, limit }: { last: string; limit: number },
  visible: (repository: string) => boolean,
): Promise<CatalogPage> {
  const found: string[] = [];
  if (limit === 0) return { repositories: [], next: undefined };
  let after = last;
  for (;;) {
    const names = await namesAfter(upstream, after);
    for (const name of names) {
      if (!visible(name)) continue;
      if (found.length === limit) return { repositories: found, next: found.at(-1) };
      found.push(name);
    }
    const end = names.at(-1);
    if (end === undefined || names.length < HIGHEST_LIMIT) return { repositories: found, next: undefined };
    after = end;
  }
}

async function namesAfter(upstream: Upstream, last: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ n: String(HIGHEST_LIMIT), ...(last === '' ? {} : { last }) });
  const { status, body } = await upstream.read({ method: 'GET', uri: `/v2/_catalog?${query}` });
  // A registry without a single repository has no folder to list.
  if (status === 404) return [];
  if (status !== 200) throw new RegistrySilent(`the list of repositories was answered with ${status}`);
  return page.parse(JSON.parse(body.toString())).repositories ?? [];
}
