import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { Failure, messageOf } from '../errors.ts';
import { type Finished, lastLines, type Run, saidBy } from '../system/processes.ts';
import type { Credentials } from './client.ts';
import type { Image } from './image.ts';

/** `undefined`: Docker can't get in, for the reason given. That is about this machine's trust or names, not about the registry. */
export type DockerProof = { readonly digest: string } | { readonly refused: string };

/**
 * Pushes and pulls `image` the way a person does: docker login, push, pull. The login is kept in a folder of its own
 * and gone afterwards. The digest is what the engine recorded for the image that it pulled back.
 */
export async function proveByDocker(
  { engine, run }: { engine: Engine; run: Run },
  { authority, repository, credentials }: { authority: string; repository: string; credentials: Credentials },
  image: Image,
): Promise<DockerProof> {
  const tagged = `${authority}/${repository}:${randomBytes(4).toString('hex')}`;
  const config = await mkdtemp(join(tmpdir(), 'moorage-docker-'));
  const docker = (args: readonly string[], input?: string) =>
    run('docker', ['--config', config, ...args], input === undefined ? {} : { input });
  try {
    const login = await docker(
      ['login', '--username', credentials.user, '--password-stdin', authority],
      credentials.password.reveal(),
    );
    if (login.exitCode !== 0) return { refused: lastLines(saidBy(login)) };
    try {
      await engine.images.load(await image.archive(tagged));
    } catch (error) {
      // Older engines know no IPv6 addresses in the names of images.
      if (authority.startsWith('[')) return { refused: messageOf(error).trim() };
      throw error;
    }
    succeed(await docker(['push', tagged]), `docker push ${tagged}`);
    await engine.images.remove(tagged);
    succeed(await docker(['pull', tagged]), `docker pull ${tagged}`);
    const pulled = await engine.images.inspect(tagged);
    const digest = pulled?.repoDigests.find((each) => each.startsWith(`${authority}/${repository}@`));
    return { digest: digest?.slice(digest.indexOf('@') + 1) ?? '' };
  } finally {
    await engine.images.remove(tagged).catch(() => undefined);
    await rm(config, { recursive: true, force: true });
  }
}

function succeed(result: Finished, what: string): void {
  if (result.exitCode === 0) return;
  const last = lastLines(saidBy(result));
  if (/\b507\b/.test(last))
    throw new Failure(
      'disk-full',
      `${what} was refused: ${last}`,
      'Free space on the disk of the images, or keep less free by DISK_RESERVE, then run this again.',
    );
  throw new Failure(
    'docker-client-failed',
    `${what} failed: ${last}`,
    'Look into the logs: docker compose logs registry gate nginx',
  );
}
