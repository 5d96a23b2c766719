import { openApp, openHost } from '../../src/app/app.ts';
import { connect } from '../../src/engine/connect.ts';
import { ensureDebootstrap } from '../../src/host/install.ts';
import { buildImage, ensureBase } from '../../src/images/build.ts';
import type { ImageRole } from '../../src/settings/settings.ts';

/** Builds one image of the stack from Debian packages, unless an earlier test did. */
export async function ensureBuilt(role: ImageRole): Promise<void> {
  await buildImage(openWorkshop(), role, ensureBaseImage, silent);
}

/** The minimal Debian that the images stand on, the tests' own too. Returns its id. */
export function ensureBaseImage(): Promise<string> {
  return ensureBase(openWorkshop(), silent);
}

function openWorkshop() {
  const app = openApp();
  const engine = connect(app.environment.DOCKER_HOST);
  return { ...app, engine, ensureDebootstrap: ensureDebootstrap(openHost(app), async () => true) };
}

const silent = () => undefined;
