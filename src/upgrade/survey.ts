import type { ImageRole, Program, Settings } from '../settings/settings.ts';
import { configHashes, type Part, type Place } from '../stack/compose.ts';
import { filesChanged, IMAGE_OF, partsOf } from './parts.ts';
import type { Findings, Running, WantedImage } from './plan.ts';
import { versionIn } from './versions.ts';

const CONFIG_LABEL = 'com.docker.compose.config-hash';

/** The parts as they run now. */
export async function surveyRunning(
  { engine }: Place,
  settings: Settings,
): Promise<ReadonlyMap<Part, Running>> {
  const found = await Promise.all(
    partsOf(settings).map(async (part) => {
      const [container] = await engine.containers.ofService(settings.project, part);
      const state = container?.running ? await engine.containers.look(container.id) : undefined;
      if (container === undefined || state === undefined) return [];
      const image = { ...state.image, version: await versionIn(engine, container.id, IMAGE_OF[part]) };
      const { started, labels } = state;
      const running: Running = {
        image,
        container: container.id,
        started,
        configuration: labels[CONFIG_LABEL],
      };
      return [[part, running] as const];
    }),
  );
  return new Map(found.flat());
}

/** All that a plan is made from. */
export async function gatherFindings(
  place: Place,
  settings: Settings,
  wanted: ReadonlyMap<ImageRole | Program, WantedImage>,
): Promise<Findings> {
  const parts = partsOf(settings);
  const names = (role: ImageRole | Program) => wanted.get(role)?.reference ?? '';
  // As `.env` will say once this is done.
  const generated = {
    RENEWER_IMAGE: names('renewer'),
    GATE_IMAGE: names('gate') || names('registry'),
    RELAY_IMAGE: names('relay'),
  };
  const env = Object.fromEntries(Object.entries(generated).filter(([, name]) => name !== ''));
  const [running, configurations, files] = await Promise.all([
    surveyRunning(place, settings),
    configHashes(place, env),
    Promise.all(parts.map(async (part) => [part, await filesChanged(place.paths, part)] as const)),
  ]);
  const changed = files.flatMap(([part, at]) => (at === undefined ? [] : [[part, at] as const]));
  return { parts, running, wanted, configurations, filesChanged: new Map(changed) };
}
