-- Brings stock to every level. KEYS: none. ARGV: levels, pieces for each.
-- The names are those that redis-benchmark makes of level:__rand_int__.
for number = 0, tonumber(ARGV[1]) - 1 do
    redis.call('HSET', string.format('level:%012d', number), 'qty', ARGV[2], 'version', 1)
end
return 'OK'
