import { type Command, UsageError } from './command.ts';
import { withDatabase } from './database.ts';

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
    return withDatabase(tools, async ({ db }) => {
      // Apple writes its UUIDs in small letters; other stores' ids mean their case.
      const stored = await db.read
        .selectFrom('store_notifications')
        .select(['store', 'notification_id'])
        .where('notification_id', 'in', [id, id.toLowerCase()])
        .execute();
      let replayed = 0;
      for (const { store, notification_id } of stored) {
        if (await db.call('replay_store_notification', { store, notification_id })) replayed += 1;
      }
      if (replayed === 0) {
        const why = stored.length > 0 ? 'Its text was deleted with the account.' : 'There is no such notification.';
        console.error(`${id} cannot be replayed. ${why}`);
        return 1;
      }
      tools.print(`${id} is queued: a running worker processes it within a second.`);
      return 0;
    });
  },
};
