-- What wrk asks for: `-- PATHS ACCEPT`, the paths of a file in turn, as the user in /load/authorization if there is one.
local requests = {}
local turn = 0

function init(args)
  local authorization = io.open("/load/authorization"):read("*l")
  local headers = { ["Host"] = wrk.headers["Host"], ["Accept"] = args[2], ["Authorization"] = authorization }
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local form = '{"bytes":%d,"requests":%d,"seconds":%f,"failed":%d}\n'
  io.write(string.format(form, summary.bytes, summary.requests, summary.duration / 1e6, failed))
end
