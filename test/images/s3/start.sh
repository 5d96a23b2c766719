# Swift's four servers and the cache they want, with one disk that is gone with the container.
memcached -u nobody -l 127.0.0.1 -d
for kind in account container object; do
    "swift-$kind-server" "/etc/swift/$kind-server.conf" &
done
exec swift-proxy-server /etc/swift/proxy-server.conf
