import { WrongInput } from '../errors.ts';
import type { Paths } from '../paths.ts';
import { writeGenerated } from './env-file.ts';
import { gather, loadSettings } from './load.ts';
import type { Settings } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings as a service sees them, which knows `.env` and not the shell it was installed from.
 * @throws WrongInput for each setting that the environment has and `.env` has not, or has otherwise
 */
export async function loadUnattended(paths: Paths, environment: Environment): Promise<Settings> {
  const [here, there] = await Promise.all([gather(paths, environment), gather(paths, {})]);
  const names = Object.keys(here).filter((name) => here[name] !== there[name]);
  if (names.length === 0) return loadSettings(paths, {});
  throw new WrongInput(
    names.map((input) => ({
      input,
      message: 'is set by the environment, which a service does not see; write it into .env',
    })),
  );
}

/**
 * Writes down that the host keeps the certificate fresh, so that init-tls and `docker compose up -d` know it too, and
 * has it do so. When that fails the container keeps its task.
 */
export async function leaveToHost<T>(
  { envFile }: Paths,
  { renewerContainer }: Pick<Settings, 'renewerContainer'>,
  work: () => Promise<T>,
): Promise<T> {
  await writeGenerated(envFile, { RENEWER_REPLICAS: '0' });
  try {
    return await work();
  } catch (error) {
    if (renewerContainer) await leaveToContainer({ envFile });
    throw error;
  }
}

export async function leaveToContainer({ envFile }: Pick<Paths, 'envFile'>): Promise<void> {
  await writeGenerated(envFile, { RENEWER_REPLICAS: undefined });
}
