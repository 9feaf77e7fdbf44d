/** The actions of the shop's users on products. */
export const userEvents = `
  CREATE TABLE IF NOT EXISTS user_events (
    event_id bigint PRIMARY KEY,
    user_id int NOT NULL,
    product_id int NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL
  )`;

/**
 * Generates the actions of 300 users in the last 30 days, unless there are recent events: each user has one of six tastes (20 of 120
 * products), and follows it four times out of five. Nothing is random, so a model always has the same to learn.
 */
export const fillUserEvents = `
  INSERT INTO user_events
  SELECT
    extract(epoch FROM now())::bigint / 3600 * 100000 + i,
    1 + i % 300,
    CASE WHEN i * 7919 % 5 < 4
      THEN 1 + (i % 300) % 6 * 20 + (20 * power((i * 104729 % 1000) / 1000.0, 2))::int % 20
      ELSE 1 + i * 31337 % 120
    END,
    CASE i * 6151 % 10 WHEN 0 THEN 'purchase' WHEN 1 THEN 'add_to_cart' ELSE 'product_view' END,
    now() - interval '1 minute' - (i * 86413 % 2592000) * interval '1 second'
  FROM generate_series(1::bigint, 30000) AS i
  WHERE NOT EXISTS (SELECT FROM user_events WHERE occurred_at >= now() - interval '3 hours')
  ON CONFLICT DO NOTHING`;
