/* Prints the kernel's uevents, a variable a line, each event in one write.
 * busybox has an applet for it, but one that buffers when its output is no terminal. */
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	char event[8192];
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int room = 1 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	if (bind(fd, (struct sockaddr *)&kernel, sizeof kernel) != 0)
		return 1;
	for (;;) {
		ssize_t length = recv(fd, event, sizeof event, 0);
		if (length <= 0)
			continue;
		for (ssize_t i = 0; i < length; i++)
			if (event[i] == '\0')
				event[i] = '\n';
		if (write(1, event, (size_t)length) != length)
			return 1;
	}
}
