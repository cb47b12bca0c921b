-- What one asks a historian. All of it:  psql -h localhost -U sluice -f queries.sql plant
-- One of it: paste it into psql behind the variables. Each can be given from outside:  psql -v since='7 days' -v hi=250 …
\if :{?since}
\else
    \set since '1 day'
\endif
-- hour, minute, day …: how wide a row of a summary is
\if :{?bucket}
\else
    \set bucket hour
\endif
-- Who says nothing for longer is silent, and what he said last stands no longer than that.
\if :{?gap}
\else
    \set gap '15 minutes'
\endif
-- °C in an oven
\if :{?hi}
\else
    \set hi 240
\endif

-- last_value: what each tag says now, and how old that is
SELECT DISTINCT ON (tag) tag, ts, value, text, quality, date_trunc('second', now() - ts) AS age
FROM sluice.samples
WHERE ts > now() - :'since'::interval
ORDER BY tag, ts DESC, id DESC;

-- summary: lowest, mean and highest by the hour
SELECT tag, date_trunc(:'bucket', ts) AS "from", count(*) AS n, min(value) AS lowest,
       round(avg(value)::numeric, 3) AS mean, max(value) AS highest
FROM sluice.samples
WHERE ts > now() - :'since'::interval AND value IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;

-- weighted_mean: the mean over time, whoever reports how often: a value stands until the next one, or for the gap
WITH said AS (
    SELECT tag, ts, value, lead(ts) OVER (PARTITION BY tag ORDER BY ts, id) AS next
    FROM sluice.samples
    WHERE ts > now() - :'since'::interval AND value IS NOT NULL
), held AS (
    SELECT tag, value, extract(epoch FROM least(next - ts, :'gap'::interval)) AS seconds FROM said WHERE next IS NOT NULL
)
SELECT tag, round((sum(value * seconds) / nullif(sum(seconds), 0))::numeric, 3) AS mean
FROM held
GROUP BY 1
ORDER BY 1;

-- out_of_limits: how long, how often and how far each zone of each oven was above the limit
WITH readings AS (
    SELECT line, oven, zone, at, celsius, celsius > :hi AS above, lag(celsius > :hi) OVER w AS was_above,
           lead(at) OVER w AS next
    FROM oven_temperature
    WHERE at > now() - :'since'::interval
    WINDOW w AS (PARTITION BY line, oven, zone ORDER BY at, sluice_id)
)
SELECT line, oven, zone,
       coalesce(sum(least(next - at, :'gap'::interval)) FILTER (WHERE above AND next IS NOT NULL), interval '0') AS above_for,
       count(*) FILTER (WHERE above AND was_above IS NOT TRUE) AS times, max(celsius) AS highest
FROM readings
GROUP BY 1, 2, 3
HAVING bool_or(above)
ORDER BY above_for DESC, 1, 2, 3;

-- excursions: each time that a zone was above the limit
WITH readings AS (
    SELECT line, oven, zone, at, celsius, celsius > :hi AS above,
           count(*) FILTER (WHERE celsius <= :hi) OVER (PARTITION BY line, oven, zone ORDER BY at, sluice_id) AS island
    FROM oven_temperature
    WHERE at > now() - :'since'::interval
)
SELECT line, oven, zone, min(at) AS "from", max(at) AS "to", count(*) AS readings, max(celsius) AS highest
FROM readings
WHERE above
GROUP BY line, oven, zone, island
ORDER BY 4, 1, 2, 3;

-- gaps: when a tag said nothing for longer than the gap; no end: it is silent still
SELECT tag, ts AS "from", next AS "to", coalesce(next, now()) - ts AS silent_for
FROM (
    SELECT tag, ts, lead(ts) OVER (PARTITION BY tag ORDER BY ts, id) AS next
    FROM sluice.samples
    WHERE ts > now() - :'since'::interval
) AS said
WHERE coalesce(next, now()) - ts > :'gap'::interval
ORDER BY tag, ts;

-- downtime: when a mixer stood; no end: it stands still
WITH states AS (
    SELECT line, mixer, at, running, lead(at) OVER w AS next, count(*) FILTER (WHERE running) OVER w AS island
    FROM mixing
    WHERE at > now() - :'since'::interval
    WINDOW w AS (PARTITION BY line, mixer ORDER BY at, sluice_id)
)
SELECT line, mixer, min(at) AS "from", CASE WHEN bool_and(next IS NOT NULL) THEN max(next) END AS "to",
       max(coalesce(next, now())) - min(at) AS stood_for
FROM states
WHERE NOT running
GROUP BY line, mixer, island
ORDER BY 3, 1, 2;

-- availability: the share of its reported time that a mixer was running
WITH states AS (
    SELECT line, mixer, at, running, lead(at) OVER (PARTITION BY line, mixer ORDER BY at, sluice_id) AS next
    FROM mixing
    WHERE at > now() - :'since'::interval
), held AS (
    SELECT line, mixer, running, extract(epoch FROM least(next - at, :'gap'::interval)) AS seconds
    FROM states WHERE next IS NOT NULL
)
SELECT line, mixer, round((100 * coalesce(sum(seconds) FILTER (WHERE running), 0) / nullif(sum(seconds), 0))::numeric, 1)
       AS percent
FROM held
GROUP BY 1, 2
ORDER BY 1, 2;

-- quality: of what went in, how much was good (192), and how much uncertain (64) because a limit on trial was broken
SELECT what, count(*) AS n, count(*) FILTER (WHERE quality >= 192) AS good,
       count(*) FILTER (WHERE quality >= 64 AND quality < 192) AS uncertain
FROM (
    SELECT tag AS what, quality FROM sluice.samples WHERE ts > now() - :'since'::interval
    UNION ALL
    SELECT format('%s oven %s zone %s', line, oven, zone), quality FROM oven_temperature
    WHERE at > now() - :'since'::interval
) AS everything
GROUP BY 1
ORDER BY uncertain DESC, what;

-- violations: what was wrong and what became of it; `enforced` false: it was told, and went in
SELECT policy, payload #>> '{violations,0,code}' AS code, payload ->> 'enforced' AS enforced, count(*),
       max(received_at) AS last, max(payload #>> '{violations,0,message}') AS for_example
FROM sluice.messages
WHERE kind = 'violation' AND received_at > now() - :'since'::interval
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 2, 3;

-- alarm_list: the newest of each machine and reason, newest first
SELECT max(received_at) AS last, topic, payload #>> '{violations,0,code}' AS code, count(*),
       (array_agg(payload #>> '{violations,0,message}' ORDER BY received_at DESC, id DESC))[1] AS says
FROM sluice.messages
WHERE received_at > now() - :'since'::interval
GROUP BY 2, 3
ORDER BY 1 DESC, 2, 3
LIMIT 50;

-- originals: what was sent, byte by byte, when it was not let in
SELECT received_at, topic, payload #>> '{violations,0,code}' AS code, payload #>> '{violations,0,pointer}' AS pointer,
       payload #>> '{original,payload}' AS original
FROM sluice.messages
WHERE kind = 'violation' AND payload ->> 'enforced' = 'true' AND received_at > now() - :'since'::interval
ORDER BY received_at DESC, id DESC
LIMIT 20;

-- recipes: columns and narrow by the record they come from: what each recipe asks of the mixers
SELECT m.recipe, count(*) AS readings, round(avg(s.value)::numeric, 2) AS torque_nm, max(s.value) AS highest
FROM mixing AS m
JOIN sluice.samples AS s ON s.id = m.sluice_id AND s.tag LIKE '%/torque\_nm'
WHERE m.at > now() - :'since'::interval AND s.ts > now() - :'since'::interval
GROUP BY 1
ORDER BY 1;

-- pack_history: columns and narrow by time: what oven and cooler said when a pack was made
SELECT p.packed_at, p.line, p.lot, p.grams, o.celsius AS oven_c, c.value AS cooler_c
FROM packs AS p
LEFT JOIN LATERAL (
    SELECT celsius FROM oven_temperature
    WHERE line = p.line AND zone = 4 AND at <= p.packed_at AND at > p.packed_at - :'gap'::interval
    ORDER BY at DESC, sluice_id DESC LIMIT 1
) AS o ON true
LEFT JOIN LATERAL (
    SELECT value FROM sluice.samples
    WHERE tag = 'factory/' || p.line || '/cooler/1/temperature' AND ts <= p.packed_at
      AND ts > p.packed_at - :'gap'::interval
    ORDER BY ts DESC, id DESC LIMIT 1
) AS c ON true
WHERE p.packed_at > now() - :'since'::interval
ORDER BY p.packed_at DESC, p.sluice_id DESC
LIMIT 100;

-- delivered: where each sink has come to
SELECT sink, seq, updated_at, date_trunc('second', now() - updated_at) AS age
FROM sluice.progress
ORDER BY sink, spool_id;
