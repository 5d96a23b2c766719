import type { Certificate } from '../../certificates/certificate.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Consent } from '../../host/install.ts';
import type { Workshop } from '../../images/build.ts';
import { BASE_IMAGE, BUILT, imageFor } from '../../images/catalog.ts';
import type { ImageNames } from '../../images/ensure.ts';
import { ensureProof, forgetProof, type ProofParts } from '../../registry/ensure-proof.ts';
import type { ImageRole, Settings } from '../../settings/settings.ts';
import type { Place } from '../../stack/compose.ts';
import { changed, type Done, type Report } from '../../step.ts';
import { withAsk } from '../../upgrade/ask-registry.ts';
import { IMAGE_OF } from '../../upgrade/parts.ts';
import type { Tools } from '../../upgrade/replace.ts';
import { chooseSamples, expectSamples, type Sample } from '../../upgrade/samples.ts';
import { type Snapshot, takeSnapshot } from '../../upgrade/snapshot.ts';
import { surveyRunning } from '../../upgrade/survey.ts';
import type { Wishes } from '../../upgrade/wanted.ts';
import { type App, openWorkshop, renewalParts } from '../app.ts';

/** What an upgrade works with. */
export interface Bench {
  readonly app: App;
  readonly engine: Engine;
  readonly place: Place;
  readonly workshop: Workshop;
}

export function openBench(
  app: App,
  settings: Pick<Settings, 'proxy'>,
  engine: Engine,
  consent: Consent,
): Bench {
  const { run, paths } = app;
  const workshop = openWorkshop(app, settings, engine, consent);
  return { app, engine, place: { engine, run, paths }, workshop };
}

export function replacingTools({ app, engine, place }: Bench, settings: Settings): Tools {
  return { place, clock: app.clock, webServer: renewalParts(app, settings, engine).webServer };
}

/** A few images that can be pulled now, to be pulled again afterwards. */
export async function pickSamples(bench: Bench, settings: Settings): Promise<readonly Sample[]> {
  return withAsk(...(await proving(bench, settings)), chooseSamples);
}

/** Notes what runs, and what names lead to that will be built or pulled anew, so that one can come back to it. */
export async function noteState(
  { app, engine, place }: Bench,
  settings: Settings,
  { refresh, again }: Pick<Wishes, 'refresh' | 'again'>,
): Promise<Snapshot> {
  const running = await surveyRunning(place, settings);
  const images = [...running].map(([part, { image }]) => [IMAGE_OF[part], image] as const);
  const built = refresh ? [BASE_IMAGE, ...Object.values(BUILT)] : [];
  const names = [...built, ...[...again].map((role) => imageFor(settings, role))];
  const others = await Promise.all(
    names.map(async (reference) => {
      const found = await engine.images.inspect(reference);
      return found === undefined ? [] : [{ reference, id: found.id }];
    }),
  );
  const tools = { ...app, engine };
  return takeSnapshot(tools, settings.project, { images: Object.fromEntries(images), others: others.flat() });
}

/** Pushes and pulls, and pulls what was there before. */
export async function verify(
  bench: Bench,
  settings: Settings,
  samples: readonly Sample[],
  report: Report,
): Promise<Done> {
  const [parts, certificate] = await proving(bench, settings);
  if (samples.length > 0) {
    report('pulling images that were there before');
    await withAsk(parts, certificate, (ask) => expectSamples(ask, samples));
  }
  await forgetProof(parts.paths);
  const current = await renewalParts(bench.app, settings, bench.engine).store.expectCurrent();
  const { summary } = await ensureProof(parts, { current, images: await namesIn(bench, settings) }, report);
  const before = samples.map(({ repository, tag }) => `${repository}:${tag}`).join(', ');
  return changed(before === '' ? summary : `${summary}; ${before} as before`);
}

/** As init-tls knows them, so that its next proof is about the same. */
async function namesIn({ place }: Bench, settings: Settings): Promise<ImageNames> {
  const gate = (await surveyRunning(place, settings)).get('gate')?.image.reference;
  const roles: ImageRole[] = ['registry', 'nginx', 'node'];
  if (settings.issuer === 'certbot') roles.push('certbot');
  if (settings.cache.kind === 'stack') roles.push('redis');
  const names = Object.fromEntries(roles.map((role) => [role, imageFor(settings, role)]));
  return gate === undefined ? names : { ...names, gate };
}

async function proving({ app, engine }: Bench, settings: Settings): Promise<[ProofParts, Certificate]> {
  const { certificate } = await renewalParts(app, settings, engine).store.expectCurrent();
  return [{ ...app, engine, settings }, certificate];
}
