/* What sightline-desk.exe answers besides monitors. */
#ifndef SIGHTLINE_PEERS_H
#define SIGHTLINE_PEERS_H

/* Answers a line of connections on stdin with a line on stdout, until stdin ends. */
int answer_peers(void);

/* Prints the system folder, in UTF-8. */
int tell_system_folder(void);

#endif
