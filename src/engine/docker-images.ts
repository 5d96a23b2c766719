import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { z } from 'zod';
import { Failure, messageOf } from '../errors.ts';
import type { Report } from '../step.ts';
import type { BuildOptions, HistoryStep, ImageFacts, Images, Labels, NamedImage } from './engine.ts';
import { follow } from './progress.ts';
import { PullProgress } from './pull-progress.ts';
import { isNotFound } from './status.ts';

/** A registry that is there sends an event within a second; from a black hole there is never one. */
const SILENCE = 30_000;
const LINES_OF_A_FAILED_BUILD = 12;
/** Where nobody answers nothing is lost: what is here goes on being used. */
const OFFER_WITHIN = 10_000;

const history = z.array(z.object({ Created: z.number(), CreatedBy: z.string(), Size: z.number() }));

export class DockerImages implements Images {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  async inspect(reference: string): Promise<ImageFacts | undefined> {
    try {
      const image = await this.#docker.getImage(reference).inspect();
      return {
        id: image.Id,
        repoDigests: image.RepoDigests ?? [],
        labels: image.Config?.Labels ?? {},
        architecture: image.Architecture,
        layers: image.RootFS.Layers ?? [],
        created: image.Created ?? '',
        size: image.Size,
      };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async pull(reference: string, report: Report): Promise<void> {
    const cut = new AbortController();
    const watchdog = setTimeout(() => cut.abort(new Error('no answer: i/o timeout')), SILENCE);
    const progress = new PullProgress(reference);
    try {
      const stream = await this.#docker.pull(reference, { abortSignal: cut.signal });
      await follow(stream, (event) => {
        watchdog.refresh();
        report(progress.describe(event));
      });
    } catch (error) {
      throw pullFailure(reference, cut.signal.aborted ? cut.signal.reason : error);
    } finally {
      clearTimeout(watchdog);
    }
    // A stream that was cut ends like one that is complete.
    if ((await this.inspect(reference)) === undefined) {
      throw pullFailure(reference, new Error('the transfer was cut off'));
    }
  }

  async importRoot(root: Readable, reference: string, labels: Labels): Promise<void> {
    const { repository, tag } = splitReference(reference);
    const changes = Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`);
    const stream = await this.#docker.importImage(root, { repo: repository, tag, changes });
    await follow(stream, () => undefined);
  }

  async build(context: Readable, options: BuildOptions, report: Report): Promise<void> {
    const lines: string[] = [];
    const stream = await this.#docker.buildImage(context, {
      t: options.reference,
      buildargs: { ...options.buildArgs },
      labels: { ...options.labels },
      networkmode: 'host', // the build reaches what this machine reaches
      rm: true,
      forcerm: true,
      ...(options.target === undefined ? {} : { target: options.target }),
      ...(options.anew === true ? { nocache: true } : {}),
    });
    try {
      await follow(stream, (event) => {
        const text = event.stream?.trim();
        if (!text) return;
        lines.push(text);
        report(text.split('\n')[0] ?? '');
      });
    } catch (error) {
      throw buildFailure(options.reference, error, lines);
    }
  }

  async load(archive: Readable): Promise<void> {
    const cut = new AbortController();
    // Else the engine would wait for the rest for ever.
    archive.once('error', (error) => cut.abort(error));
    try {
      const options = { abortSignal: cut.signal };
      await follow(await this.#docker.loadImage(archive, options), () => undefined);
    } catch (error) {
      if (cut.signal.aborted) throw cut.signal.reason;
      throw new Failure(
        'load-failed',
        `The engine did not take the images: ${messageOf(error)}`,
        'Fix what it reports (disk space, as a rule), then run this again.',
        { cause: error },
      );
    }
  }

  async save(references: readonly string[]): Promise<Readable> {
    const names = references.map((name) => `names=${encodeURIComponent(name)}`).join('&');
    return new Promise((resolve, reject) => {
      const question = {
        path: `/images/get?${names}&`, // docker-modem takes the last character away
        method: 'GET',
        isStream: true,
        statusCodes: { 200: true, 400: 'bad parameter', 404: 'no such image', 500: 'server error' },
      };
      this.#docker.modem.dial(question, (error, answer) => {
        if (answer instanceof Readable) resolve(answer);
        else reject(error);
      });
    });
  }

  async history(reference: string): Promise<readonly HistoryStep[]> {
    const steps = history.parse(await this.#docker.getImage(reference).history());
    return steps
      .map(({ Created, CreatedBy, Size }) => ({ key: `${Created} ${CreatedBy} ${Size}`, size: Size }))
      .reverse();
  }

  async remove(reference: string): Promise<void> {
    try {
      await this.#docker.getImage(reference).remove();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async tag(id: string, reference: string): Promise<void> {
    const { repository, tag } = splitReference(reference);
    await this.#docker.getImage(id).tag({ repo: repository, tag });
  }

  async ofRepository(repository: string): Promise<readonly NamedImage[]> {
    const images = await this.#docker.listImages({ filters: { reference: [repository] } });
    return images.flatMap(({ Id, RepoTags, Labels }) =>
      (RepoTags ?? [])
        .filter((reference) => splitReference(reference).repository === repository)
        .map((reference) => ({ id: Id, reference, labels: Labels ?? {} })),
    );
  }

  async offered(reference: string): Promise<string | undefined> {
    const asked = this.#docker
      .getImage(reference)
      .distribution()
      .then(({ Descriptor }) => Descriptor.digest)
      .catch(() => undefined); // nobody there, or nobody who knows it: what that means is for a pull to say
    const late = new AbortController();
    const tooLate = delay(OFFER_WITHIN, undefined, late).catch(() => undefined);
    return Promise.race([asked, tooLate]).finally(() => late.abort());
  }
}

/** What the engine says when it found nobody to talk to, as opposed to somebody who said no. */
const NOBODY_THERE =
  /no such host|connection refused|i\/o timeout|network is unreachable|no route to host|handshake timeout|Client\.Timeout|server misbehaving|context deadline exceeded|failure in name resolution/i;

function pullFailure(reference: string, error: unknown): Failure {
  const reason = messageOf(error);
  if (NOBODY_THERE.test(reason)) {
    return new Failure(
      'registry-unreachable',
      `No image registry answers for ${reference}: ${reason}`,
      'Check the network, or set IMAGES=build to build the images from Debian packages.',
      { cause: error },
    );
  }
  return new Failure(
    'pull-failed',
    `${reference} could not be pulled: ${reason}`,
    'Run this again to go on where it stopped; if it stays, check the name of the image in .env.',
    { cause: error },
  );
}

function buildFailure(reference: string, error: unknown, lines: readonly string[]): Failure {
  const tail = lines.slice(-LINES_OF_A_FAILED_BUILD).join('\n');
  return new Failure(
    'build-failed',
    `${reference} could not be built: ${messageOf(error)}\n${tail}`,
    'Fix what the lines above report (network, disk space), then run this again.',
    { cause: error },
  );
}

function splitReference(reference: string): { repository: string; tag: string } {
  const colon = reference.lastIndexOf(':');
  return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
