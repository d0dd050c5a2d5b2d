// What real ffmpegs printed on stderr, kept as it was (only made shorter in the middle). x11grab on an Xvfb of 640x480
// unless said otherwise; 8.1.2 is Sightline's own build, 5.1.9 Debian's.

/** ffmpeg 8.1.2, stopped with `q` after two seconds. */
export const stopped8 = `\
[in#0/x11grab @ 0x3bbba200] Stream #0: not enough frames to estimate rate; consider increasing probesize
Input #0, x11grab, from ':177':
  Duration: N/A, start: 1795224117.870721, bitrate: 49152 kb/s
  Stream #0:0: Video: rawvideo (BGR[0] / 0x524742), bgr0, 640x480, 49152 kb/s, 5 fps, 1000k tbr, 1000k tbn, start 1795224117.870721
Stream mapping:
  Stream #0:0 -> #0:0 (rawvideo (native) -> h264 (libopenh264))
Press [q] to stop, [?] for help
[libopenh264 @ 0x3bbc7d40] [OpenH264] this = 0x0x7f06ec002b90, Warning:bEnableFrameSkip = 0,bitrate can't be controlled for RC_QUALITY_MODE,RC_BITRATE_MODE and RC_TIMESTAMP_MODE without enabling skip frame.
Output #0, mp4, to 'pipe:1':
  Metadata:
    encoder         : Lavf62.12.102
  Stream #0:0: Video: h264 (avc1 / 0x31637661), yuv420p(tv, progressive), 640x480, q=2-31, 5 fps, 16k tbn
    Metadata:
      encoder         : Lavc62.28.102 libopenh264
    Side data:
      CPB properties: bitrate max/min/avg: 0/0/2000000 buffer size: 0 vbv_delay: N/A


[q] command received. Exiting.

[out#0/mp4 @ 0x3bbc6440] video:1KiB audio:0KiB subtitle:0KiB other streams:0KiB global headers:0KiB muxing overhead: 320.346320%
frame=   11 fps=5.0 q=-0.0 Lsize=       3KiB time=00:00:02.19 bitrate=  10.6kbits/s speed=   1x elapsed=0:00:02.19    
`;

/** ffmpeg 5.1.9, killed with SIGKILL: it says nothing about its end. */
export const killed5 = `\
[x11grab @ 0x564e58a5fd40] Stream #0: not enough frames to estimate rate; consider increasing probesize
Input #0, x11grab, from ':177':
  Duration: N/A, start: 1795224093.598226, bitrate: 49152 kb/s
  Stream #0:0: Video: rawvideo (BGR[0] / 0x524742), bgr0, 640x480, 49152 kb/s, 5 fps, 1000k tbr, 1000k tbn
Stream mapping:
  Stream #0:0 -> #0:0 (rawvideo (native) -> h264 (libx264))
Press [q] to stop, [?] for help
[libx264 @ 0x564e58a6be80] using SAR=1/1
[libx264 @ 0x564e58a6be80] profile High, level 2.2, 4:2:0, 8-bit
Output #0, mp4, to 'pipe:1':
  Metadata:
    encoder         : Lavf59.27.100
  Stream #0:0: Video: h264 (avc1 / 0x31637661), yuv420p(tv, progressive), 640x480 [SAR 1:1 DAR 4:3], q=2-31, 5 fps, 16k tbn
    Metadata:
      encoder         : Lavc59.37.100 libx264
    Side data:
      cpb: bitrate max/min/avg: 0/0/0 buffer size: 0 vbv_delay: N/A
`;

/** ffmpeg 8.1.2 with a display that is not there; exit code 251. */
export const noDisplay8 = `\
[in#0 @ 0x2e07c9c0] Cannot open display :178, error 1.
[in#0 @ 0x2e07c680] Error opening input: Input/output error
Error opening input file :178.
Error opening input files: Input/output error
`;

/** ffmpeg 5.1.9 with a display that is not there; exit code 1. */
export const noDisplay5 = `\
[x11grab @ 0x55d4965af8c0] Cannot open display :178, error 1.
:178: Input/output error
`;

/** ffmpeg 8.1.2 whose X server was killed; exit code 0. */
export const displayDied8 = `\
Press [q] to stop, [?] for help
[in#0/x11grab @ 0x1bbdc200] Failed to query xcb pointer
[in#0/x11grab @ 0x1bbdbec0] Error during demuxing: Generic error in an external library
[out#0/mp4 @ 0x1bbe8440] video:1KiB audio:0KiB subtitle:0KiB other streams:0KiB global headers:0KiB muxing overhead: 303.863988%
frame=    9 fps=5.0 q=-0.0 Lsize=       3KiB time=00:00:01.80 bitrate=  11.6kbits/s speed=   1x elapsed=0:00:01.79    
`;

/** ffmpeg 5.1.9 whose X server was killed; exit code 0. */
export const displayDied5 = `\
Press [q] to stop, [?] for help
[x11grab @ 0x5621ebb65c80] Failed to query xcb pointer
:177: Generic error in an external library
frame=    9 fps=4.9 q=-1.0 Lsize=       3kB time=00:00:01.59 bitrate=  16.2kbits/s speed=0.868x    
video:1kB audio:0kB subtitle:0kB other streams:0kB global headers:0kB muxing overhead: 156.915741%
[libx264 @ 0x5621ebb71ec0] kb/s:2.81
`;

/** ffmpeg 5.1.9, which has no libopenh264; exit code 1. */
export const noEncoder5 = `\
Input #0, lavfi, from 'testsrc':
  Duration: N/A, start: 0.000000, bitrate: N/A
  Stream #0:0: Video: rawvideo (RGB[24] / 0x18424752), rgb24, 320x240 [SAR 1:1 DAR 4:3], 25 tbr, 25 tbn
Unknown encoder 'libopenh264'
`;

/** ffmpeg 5.1.9 on Linux, asked for the grabber of Windows; exit code 1. */
export const noGrabber5 = `\
Unknown input format: 'gdigrab'
`;

/** ffmpeg 8.1.2 writing to /dev/full; exit code 228. */
export const diskFull8 = `\
[in#0/x11grab @ 0x300f5200] Stream #0: not enough frames to estimate rate; consider increasing probesize
Input #0, x11grab, from ':177':
  Duration: N/A, start: 1795224126.319307, bitrate: 49152 kb/s
Press [q] to stop, [?] for help
[out#0/mp4 @ 0x30101440] Could not write header (incorrect codec parameters ?): No space left on device
[vf#0:0 @ 0x30104700] Error sending frames to consumers: No space left on device
[vf#0:0 @ 0x30104700] Task finished with error code: -28 (No space left on device)
[vf#0:0 @ 0x30104700] Terminating thread with return code -28 (No space left on device)
[out#0/mp4 @ 0x30101440] Nothing was written into output file, because at least one of its streams received no packets.
frame=    0 fps=0.0 q=0.0 Lsize=       0KiB time=N/A bitrate=N/A speed=N/A elapsed=0:00:00.19    
Conversion failed!
`;

/** ffmpeg 5.1.9, asked for 800x600 of it; exit code 1. */
export const areaOutside5 = `\
[x11grab @ 0x5573c1514940] Capture area 800x600 at position 0.0 outside the screen size 640x480
:177: Invalid argument
`;

/** ffmpeg 8.1.2 -encoders, whole. */
export const encoders8 = `\
Encoders:
 V..... = Video
 A..... = Audio
 S..... = Subtitle
 .F.... = Frame-level multithreading
 ..S... = Slice-level multithreading
 ...X.. = Codec is experimental
 ....B. = Supports draw_horiz_band
 .....D = Supports direct rendering method 1
 ------
 V....D libopenh264          OpenH264 H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10 (codec h264)
 VF...D rawvideo             raw video
 V..... wrapped_avframe      AVFrame to AVPacket passthrough
`;

/** ffmpeg 5.1.9 -encoders, the lines about H.264. */
export const encoders5 = `\
Encoders:
 V..... = Video
 ------
 V....D libx264              libx264 H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10 (codec h264)
 V....D libx264rgb           libx264 H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10 RGB (codec h264)
 V....D h264_nvenc           NVIDIA NVENC H.264 encoder (codec h264)
 V..... h264_omx             OpenMAX IL H.264 video encoder (codec h264)
 V..... h264_qsv             H.264 / AVC / MPEG-4 AVC / MPEG-4 part 10 (Intel Quick Sync Video acceleration) (codec h264)
 V..... h264_v4l2m2m         V4L2 mem2mem H.264 encoder wrapper (codec h264)
 V....D h264_vaapi           H.264/AVC (VAAPI) (codec h264)
`;

/** ffmpeg 9.0.2 of ours for Windows, whose blit was refused in mid-run; exit code 0. */
export const secureDesktop9 = `\
[in#0 @ 0000000000c94c00] Capturing whole desktop as 640x480x32 at (0,0)
[in#0/gdigrab @ 0000000000c94c00] Stream #0: not enough frames to estimate rate; consider increasing probesize
Input #0, gdigrab, from 'desktop':
  Duration: N/A, start: 1796003430.408364, bitrate: 49154 kb/s
  Stream #0:0: Video: bmp, bgra, 640x480, 49154 kb/s, 5 fps, 1000k tbr, 1000k tbn, start 1796003430.408364
Press [q] to stop, [?] for help
[in#0/gdigrab @ 0000000000c94c00] Failed to capture image (error 5)
[in#0/gdigrab @ 0000000000c94880] Error during demuxing: I/O error
[out#0/mp4 @ 0000000000c96800] video:1KiB audio:0KiB subtitle:0KiB other streams:0KiB global headers:0KiB muxing overhead: 159.749413%
frame=    9 fps=5.0 q=-0.0 Lsize=       3KiB time=00:00:01.60 bitrate=  16.6kbits/s speed=0.896x elapsed=0:00:01.78    
`;

/** The same, refused from the first blit on; exit code 234. */
export const secureDesktopAtStart9 = `\
[in#0 @ 0000000000c94c00] Capturing whole desktop as 640x480x32 at (0,0)
[in#0/gdigrab @ 0000000000c94c00] Failed to capture image (error 5)
[in#0/gdigrab @ 0000000000c94c00] Could not find codec parameters for stream 0 (Video: bmp, none, 49154 kb/s): unspecified size
Consider increasing the value for the 'analyzeduration' (0) and 'probesize' (32) options
Input #0, gdigrab, from 'desktop':
  Duration: N/A, bitrate: 49154 kb/s
  Stream #0:0: Video: bmp, none, 49154 kb/s, 5 fps, 1000k tbr, 1000k tbn
Output #0, mp4, to 'pipe:1':
[out#0/mp4 @ 0000000000c95d00] Output file does not contain any stream
Error opening output file pipe:1.
Error opening output files: Invalid argument
`;

/** ffmpeg 9.0.2 of ours on a black screen. */
export const black9 = {
  windows: '[in#0/gdigrab @ 0000000000c94b80] black since 1796003338.192255',
  linux: '[in#0/x11grab @ 0x1af1fc40] black since 1796003350.631931',
};
