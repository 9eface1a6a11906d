"""Schedules came into Redis in one second, after it was emptied: who switches one off takes others out with it."""

from lab.defects import Defect, Lab, jobs_in_redis

_SCORE = 1795765472
# ARGV: the first score, and by how much the next one's is greater.
_PUT = """
local score = tonumber(ARGV[1])
for _, raw in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  redis.call('ZADD', KEYS[1], score, raw)
  redis.call('HSET', KEYS[2] .. cjson.decode(raw).id, 'numeric_policy_id', score)
  score = score + tonumber(ARGV[2])
end
"""


def _put(step: int) -> None:
    keys = (jobs_in_redis.key("period", "policies"), jobs_in_redis.key("job_stats", ""))
    jobs_in_redis.send("EVAL", _PUT, "2", *keys, str(_SCORE), str(step))


def _share(lab: Lab) -> None:
    _put(0)


def _part(lab: Lab) -> None:
    _put(1)


DEFECT = Defect(
    report="recorded of v2.15.2 and v2.12.4; jobservice/period: ZREMRANGEBYSCORE",
    shows="nothing, until somebody changes one of them: the others are gone from Redis, and fire no more",
    turns_red=frozenset({"jobs.schedules-have-scores-of-their-own"}),
    hint_says=("score", "rollout restart"),
    plant_outside=_share,
    heal_outside=_part,
)
