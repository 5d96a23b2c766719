import { WrongInput } from '../../src/errors.ts';

/** What is wrong with the input, as the person reads it; empty where it is taken. */
export async function wrongInput(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof WrongInput) return error.message;
    throw error;
  }
  return '';
}
