-- Pieces taken, versions passed, events: all three must be the same. ARGV: levels, pieces each was given.
local taken, versions = 0, 0
for number = 0, tonumber(ARGV[1]) - 1 do
    local level = redis.call('HMGET', string.format('level:%012d', number), 'qty', 'version')
    taken = taken + tonumber(ARGV[2]) - tonumber(level[1])
    versions = versions + tonumber(level[2]) - 1
end
return string.format('%d|%d|%d', taken, versions, redis.call('XLEN', 'events'))
