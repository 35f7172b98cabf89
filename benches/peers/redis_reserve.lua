-- One reserve: check, decrement, version and event. KEYS: the level, the stream of events. ARGV: pieces.
local qty = tonumber(redis.call('HGET', KEYS[1], 'qty'))
local wanted = tonumber(ARGV[1])
if not qty or qty < wanted then
    return redis.error_reply('INSUFFICIENT not that much is there')
end
local left = redis.call('HINCRBY', KEYS[1], 'qty', -wanted)
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('XADD', KEYS[2], '*', 'kind', 'RESERVE', 'level', KEYS[1], 'qty', wanted, 'after', left, 'version', version)
return {left, version}
