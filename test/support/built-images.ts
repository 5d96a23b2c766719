import { openApp, openHost } from '../../src/app.ts';
import { connect } from '../../src/engine/connect.ts';
import { ensureDebootstrap } from '../../src/host/install.ts';
import { buildImage, ensureBase } from '../../src/images/build.ts';
import type { ImageRole } from '../../src/settings/settings.ts';

/** Builds one image of the stack from Debian packages, unless an earlier test did. */
export async function ensureBuilt(role: ImageRole): Promise<void> {
  const app = openApp();
  const engine = connect(app.environment.DOCKER_HOST);
  const debootstrap = ensureDebootstrap(openHost(app), async () => true);
  const workshop = { ...app, engine, ensureDebootstrap: debootstrap };
  const silent = () => undefined;
  await buildImage(workshop, role, () => ensureBase(workshop, silent), silent);
}
