import { type App, renewalParts } from './app.ts';
import { assess } from './certificates/renewal.ts';
import type { Status } from './cli/status-report.ts';
import { connect } from './engine/connect.ts';
import type { Settings } from './settings/settings.ts';
import { registrySilence } from './stack/answer.ts';
import { diskState } from './stack/image-disk.ts';
import { stateOfMirror } from './stack/mirror.ts';
import { readAccessState } from './users/access-state.ts';

/** Looks at everything at once; nothing is changed. */
export async function gatherStatus(app: App, settings: Settings): Promise<Status> {
  const { auth, mirror } = settings;
  const [silence, outlook, access, disk, mirrorState] = await Promise.all([
    registrySilence(settings),
    assess(renewalParts(app, settings, connect(app.environment.DOCKER_HOST))),
    auth.by === 'gate' ? readAccessState(app.paths) : undefined,
    diskState(settings),
    mirror && stateOfMirror(settings, mirror, app.clock),
  ]);
  return { silence, outlook, access, disk, mirror: mirrorState };
}
