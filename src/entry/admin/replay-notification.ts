import { type Command, UsageError } from './command.ts';
import { withOwner } from './owner.ts';

const ID_CHARACTERS_MAX = 200;

/** Has the worker process a store's notification once more. */
export const replayNotification: Command = {
  name: 'replay-notification',
  usage: '<uuid>',
  summary: 'has the worker process a notification of a store once more',
  async run(args, tools) {
    const [id = '', ...others] = args;
    if (id === '' || id.length > ID_CHARACTERS_MAX || others.length > 0) {
      throw new UsageError('The id of one notification is needed.');
    }
    return withOwner(tools, async ({ call }) => {
      const outcome = await call('owner_replays_notification', { notification_id: id });
      if (outcome !== 'replayed') {
        const why = outcome === 'erased' ? 'Its text was deleted with the account.' : 'There is no such notification.';
        console.error(`${id} cannot be replayed. ${why}`);
        return 1;
      }
      tools.print(`${id} is queued: a running worker processes it within a second.`);
      return 0;
    });
  },
};
