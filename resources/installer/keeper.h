// What the keeper and the custom actions agree on.
#ifndef SIGHTLINE_KEEPER_H
#define SIGHTLINE_KEEPER_H

/** Exists while Sightline is installed, upgraded or removed. */
#define INSTALLING_EVENT L"Global\\SightlineInstalling"

#endif
