import type { Repository, Tag } from '../inventory/inventory.ts';

/** OCI distribution-spec 1.1, "Referrers Tag Schema", and cosign's tags, which are the same with an ending. */
const FOLLOWER = /^sha256-([a-f0-9]{64})(?:\.(?:sig|att|sbom))?$/;

/** The digest that a tag of signatures or referrers is about; `undefined` for the tags of people. */
export function subjectOfTag(name: string): string | undefined {
  const hex = FOLLOWER.exec(name)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/** What belongs together in a repository. */
export class Family {
  readonly #repository: Repository;
  /** By the digest that they are about. */
  readonly #referrers = new Map<string, string[]>();

  constructor(repository: Repository) {
    this.#repository = repository;
    for (const { digest, subject } of repository.manifests.values()) this.#refer(subject, digest);
    for (const { name, digest } of repository.tags) this.#refer(subjectOfTag(name), digest);
  }

  /**
   * These manifests and all that stays and goes with them: the manifests of an index, what refers to any of them by its
   * `subject` or by its tag, and so on. Only what the repository has.
   */
  of(digests: Iterable<string>): Set<string> {
    const { manifests } = this.#repository;
    const found = new Set<string>();
    const open = [...digests];
    for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
      const manifest = manifests.get(digest);
      if (manifest === undefined || found.has(digest)) continue;
      found.add(digest);
      open.push(...manifest.manifests.map((child) => child.digest), ...(this.#referrers.get(digest) ?? []));
    }
    return found;
  }

  #refer(subject: string | undefined, digest: string): void {
    if (subject === undefined) return;
    const known = this.#referrers.get(subject);
    if (known === undefined) this.#referrers.set(subject, [digest]);
    else known.push(digest);
  }
}

/** Tags that stand for nothing that can be read: in the middle of a push, or damaged. */
export function isReadable({ manifests }: Repository, { digest }: Tag): boolean {
  return manifests.has(digest);
}
