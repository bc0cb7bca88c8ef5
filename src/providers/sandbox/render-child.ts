/** The child process that makes one film. */
import { answerParent } from '../../kernel/child-work.ts';

answerParent(async () => (await import('./render-film.ts')).renderFilm);
