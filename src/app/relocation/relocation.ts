import type { Teller } from '../../cli/story.ts';
import type { Engine } from '../../engine/engine.ts';
import { messageOf, unreachable } from '../../errors.ts';
import type { RegistryClient } from '../../registry/client.ts';
import { type Begun, begunIn, noteBegun, type Step, servedSince } from '../../relocation/begun.ts';
import {
  bringBack,
  bringLate,
  type Compared,
  type CopyParts,
  compare,
  copyDifferences,
  proveBlobs,
} from '../../relocation/compare.ts';
import { markNew } from '../../relocation/marks.ts';
import type { Places } from '../../relocation/places.ts';
import {
  expectBegun,
  expectBoth,
  expectFit,
  expectImages,
  expectLast,
} from '../../relocation/preconditions.ts';
import { provePulls } from '../../relocation/proof.ts';
import { expectNotStarted, type Served, whoServes } from '../../relocation/served.ts';
import { Proven } from '../../relocation/verify.ts';
import type { Settings } from '../../settings/settings.ts';
import { awaitRegistry } from '../../stack/answer.ts';
import { type Part, recentLog } from '../../stack/compose.ts';
import { dropLease, type WritesClosed, withWritesClosed } from '../../stack/writes.ts';
import { changed } from '../../step.ts';
import { type App, openEvents, openJournal } from '../app.ts';
import { asPuller } from '../collection.ts';
import { closeWrites, HOLDER } from './close.ts';
import { keepOld, setFolder, startOnFolder, startRest } from './on-folder.ts';

export interface Move extends Places {
  /** Seconds that uploads on their way may take to end. */
  readonly wait: number;
  readonly allowDamaged: boolean;
  /** Whether it is brought to its end though the old place is gone for good, with what was pushed to it last. */
  readonly forget: boolean;
}

export interface Moved extends Compared, Places {
  /** For how long writes were refused, in seconds; `undefined`: not at all. */
  readonly refused: number | undefined;
}

/**
 * Moves images from one folder to another, and has the registry serve them there; the old folder stays. To be called by who
 * holds the lock of what is stored. Whatever a killed run left is told from what runs: as long as the old place serves, all
 * of it is looked through again; once the new one does, it is brought to its end.
 * @param settings what nginx and the engine are asked by; the folder in them does not matter
 */
export async function relocate(
  app: App,
  settings: Settings,
  engine: Engine,
  move: Move,
  story: Teller,
): Promise<Moved> {
  await dropLease(app.paths, HOLDER);
  const served = await whoServes(engine, settings, move);
  const begun = begunIn(await openJournal(app, HOLDER).interrupted());
  const work = new Relocation(app, settings, engine, move, story, begun);
  try {
    const done = await work.carryOut(served);
    await work.leave(done);
    return done;
  } catch (error) {
    await openEvents(app).record(HOLDER, 'trouble', messageOf(error));
    throw error;
  }
}

class Relocation {
  readonly #app: App;
  readonly #settings: Settings;
  readonly #engine: Engine;
  readonly #move: Move;
  readonly #places: Places;
  readonly #story: Teller;
  readonly #parts: CopyParts;
  readonly #journal;
  readonly #begun: Begun | undefined;

  constructor(
    app: App,
    settings: Settings,
    engine: Engine,
    move: Move,
    story: Teller,
    begun: Begun | undefined,
  ) {
    this.#begun = begun;
    this.#app = app;
    this.#settings = settings;
    this.#engine = engine;
    this.#move = move;
    this.#places = { from: move.from, to: move.to };
    this.#story = story;
    this.#parts = { ...move, ...app, proven: new Proven() };
    this.#journal = openJournal(app, HOLDER);
  }

  async carryOut(served: Served): Promise<Moved> {
    switch (served) {
      case 'old':
        return this.#whileItServes();
      case 'nobody':
        // Who served last is not known after a kill, and what the new place got must not go.
        return this.#begun === undefined ? this.#atRest() : this.#toItsEnd(this.#begun, served);
      case 'new':
        return this.#toItsEnd(this.#begun, served);
      default:
        return unreachable(served);
    }
  }

  async #whileItServes(): Promise<Moved> {
    const { paths, clock } = this.#app;
    await this.#firstPass();
    await this.#story.step('Registry', () => awaitRegistry(this.#settings, clock, this.#log));
    return asPuller(this.#app, this.#settings, (client) =>
      withWritesClosed({ paths, clock, settings: this.#settings }, HOLDER, async (writes) => {
        await closeWrites(this.#app, this.#settings, this.#engine, this.#move.wait, this.#story, writes);
        await expectNotStarted(this.#engine, this.#settings, this.#move);
        const compared = await this.#secondPass();
        writes.expectHeld();
        await this.#switchOver(writes);
        writes.expectHeld(); // else the old place may have got more: the next run brings it along
        await this.#prove(compared, client, () => this.#goBack(writes));
        const refused = (clock.now().getTime() - (writes.since ?? clock.now()).getTime()) / 1000;
        return { ...this.#places, ...compared, refused };
      }),
    );
  }

  /** Nothing of the stack runs: nobody writes, as long as nobody starts it. Who does so after this finds the new place. */
  async #atRest(): Promise<Moved> {
    await this.#firstPass();
    const served = await whoServes(this.#engine, this.#settings, this.#move);
    if (served === 'old') return this.#whileItServes(); // somebody has started it meanwhile
    if (served === 'new') return this.#toItsEnd(begunIn(await this.#journal.interrupted()), served);
    const at = this.#app.clock.now().getTime();
    const compared = await this.#secondPass();
    await this.#note(at, 'switch');
    await setFolder(this.#app, this.#move.to);
    await startRest(this.#app, this.#settings, this.#engine);
    await this.#bringLate(at);
    return { ...this.#places, ...compared, refused: undefined };
  }

  /**
   * A run was killed after the new place had begun to serve, by it or by `docker compose up`. What was written to the old
   * one after both were compared comes along; nothing that is in the new one is touched.
   */
  async #toItsEnd(begun: Begun | undefined, served: Served): Promise<Moved> {
    const { to } = this.#move;
    const at = begun?.compared ?? 0;
    const whole = at > 0 || served === 'new'; // else there is more in the old place than what came last
    await (whole ? expectLast(this.#move) : expectImages(this.#move));
    await expectBegun(this.#move, this.#app.paths, begun);
    if (begun === undefined) await this.#note(at, 'switch');
    else await this.#journal.reach('switch' satisfies Step); // since when it may have been served stays known
    await this.#bringLate(at);
    const { damaged, found } = await this.#story.step('Blobs', (report) => proveBlobs(this.#parts, report));
    const compared = { damaged, files: found.files.size, bytes: found.bytes };
    await setFolder(this.#app, to);
    const runs = await startRest(this.#app, this.#settings, this.#engine); // a kill may have left parts on the old one
    if (runs)
      await asPuller(this.#app, this.#settings, (client) =>
        this.#prove(compared, client, async () => undefined),
      );
    return { ...this.#places, ...compared, refused: undefined };
  }

  async leave({ bytes }: Moved): Promise<void> {
    const { from, to } = this.#move;
    await expectLast(this.#move);
    await this.#journal.reach('leave' satisfies Step);
    await this.#story.step('Old place', () => keepOld(this.#app, this.#move, bytes));
    await openEvents(this.#app).record(HOLDER, 'done', `the images were moved from ${from} to ${to}`);
    await this.#journal.end();
  }

  async #bringLate(since: number): Promise<void> {
    await this.#story.step('Late', (report) => bringLate(this.#parts, since, report));
  }

  async #firstPass(): Promise<void> {
    const { from, to } = this.#move;
    const { paths } = this.#app;
    const begun = this.#begun;
    await expectBegun(this.#move, paths, begun);
    await this.#story.step('Places', () =>
      expectFit(this.#move, this.#settings, { engine: this.#engine, paths }),
    );
    if (begun !== undefined)
      await this.#story.step('Late', (report) => bringBack(this.#parts, servedSince(begun), report));
    await markNew(to, { checkout: paths.root, from }); // first: a move that is noted has its mark
    await this.#note(0, 'copy');
    await this.#story.step('Copied', (report) => copyDifferences(this.#parts, report));
    await this.#story.step('Blobs', (report) => proveBlobs(this.#parts, report));
  }

  async #secondPass(): Promise<Compared> {
    await this.#note(0, 'compare');
    await expectBoth(this.#move, this.#app.paths);
    await this.#story.step('Changes', (report) => copyDifferences(this.#parts, report));
    const compared = await this.#story.step('Compared', (report) => compare(this.#parts, report));
    await expectBoth(this.#move, this.#app.paths);
    return compared;
  }

  async #switchOver(writes: WritesClosed): Promise<void> {
    const back = () => this.#goBack(writes);
    await this.#note(this.#app.clock.now().getTime(), 'switch');
    await this.#story.step(
      'Switched',
      async (report) => {
        await setFolder(this.#app, this.#move.to);
        await startOnFolder(this.#app, this.#engine, writes, report);
        return changed(`served from ${this.#move.to}`);
      },
      back,
    );
  }

  async #prove(compared: Compared, client: RegistryClient, back: () => Promise<void>): Promise<void> {
    await this.#journal.reach('prove' satisfies Step);
    await this.#story.step('Proof', () => provePulls(this.#move.to, compared.damaged, client), back);
  }

  /** The new place can't be served: the old one is, as it was when writes were closed. */
  async #goBack(writes: WritesClosed): Promise<void> {
    await setFolder(this.#app, this.#move.from);
    const start = (closed?: WritesClosed) => startOnFolder(this.#app, this.#engine, closed, () => undefined);
    await start(writes).catch(() => start());
  }

  #note(compared: number, step: Step): Promise<void> {
    return noteBegun(this.#journal, { ...this.#places, compared }, step);
  }

  readonly #log = (part: Part) => recentLog(this.#app, part);
}
