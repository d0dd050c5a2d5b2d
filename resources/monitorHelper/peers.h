#ifndef SIGHTLINE_PEERS_H
#define SIGHTLINE_PEERS_H

/* Answers lines of connections on stdin, until stdin ends. Returns the exit code. */
int answer_peers(void);

/* Prints the path of System32, in UTF-8. Returns the exit code. */
int print_system_folder(void);

#endif
