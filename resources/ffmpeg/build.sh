#!/bin/sh
# Builds one static ffmpeg with libopenh264 in the current (empty) directory. build.mjs calls it; its bytes are part
# of the recipe's hash. It must never fetch anything, install anything, or write outside the current directory.
#
#   build.sh <platform> <jobs> <ffmpeg tarball> <openh264 tarball> <configure flag>...
#
# Leaves ./out/ffmpeg[.exe], ./out/LICENSE.*, ./out/compiler.txt and ./out/configure.txt. A line that starts with "@ " on stdout names the
# step that begins.
set -eu

platform=$1 jobs=$2 ffmpegTar=$3 openh264Tar=$4
shift 4

# Nothing of the caller's environment may decide the binary.
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS ASFLAGS LIBS MAKEFLAGS MAKEOVERRIDES PKG_CONFIG_PATH PKG_CONFIG_LIBDIR CC CXX AR
export LC_ALL=C SOURCE_DATE_EPOCH=1700000000
umask 022
# openh264 writes `git describe` into its version: keep it from finding a repository around this directory.
export GIT_CEILING_DIRECTORIES="$PWD"

case $platform in
linux-x64)
    cc=gcc cxx=g++ ar=ar strip=strip exe= openh264Os=linux
    export PKG_CONFIG_PATH=../prefix/lib/pkgconfig
    # A static executable runs on any distribution, whatever its libc.
    set -- "$@" --cc=$cc --cxx=$cxx --extra-ldflags=-static
    ;;
win32-x64)
    # The -posix compilers: openh264 wants C++11 threads.
    mingw=x86_64-w64-mingw32-
    cc=${mingw}gcc-posix cxx=${mingw}g++-posix ar=${mingw}ar strip=${mingw}strip exe=.exe openh264Os=mingw_nt
    # LIBDIR, not PATH: the host's own libraries must not be found.
    export PKG_CONFIG_LIBDIR=../prefix/lib/pkgconfig
    set -- "$@" --enable-cross-compile --target-os=mingw32 --arch=x86_64 --cross-prefix=$mingw \
        --cc=$cc --cxx=$cxx --pkg-config=pkg-config '--extra-ldflags=-static -Wl,--no-insert-timestamp'
    ;;
*)
    echo "build.sh: no recipe for platform '$platform'" >&2
    exit 2
    ;;
esac

echo "@ unpacking the sources"
mkdir ffmpeg openh264 prefix out
tar -x --no-same-owner --strip-components=1 -C ffmpeg -f "$ffmpegTar"
tar -x --no-same-owner --strip-components=1 -C openh264 -f "$openh264Tar"

# Paths are relative from here on (../prefix), so that no directory of this machine ends up in the binary.
echo "@ compiling openh264"
# Without its decoder: Sightline only encodes.
make -C openh264 -j"$jobs" V=No OS=$openh264Os ARCH=x86_64 CC=$cc CXX=$cxx AR=$ar PREFIX=../prefix DECODER_OBJS= install-static

echo "@ configuring ffmpeg"
cd ffmpeg
./configure "$@" --pkg-config-flags=--static || { tail -n 40 ffbuild/config.log; exit 1; }
# The flags ask for no GPL part; this is the proof that none came in.
grep -q '^#define FFMPEG_LICENSE "LGPL version 2.1 or later"$' config.h || {
    echo "build.sh: this configuration is not LGPL-2.1-or-later:" >&2
    grep FFMPEG_LICENSE config.h >&2
    exit 1
}

echo "@ compiling ffmpeg"
make -j"$jobs" ffmpeg$exe
cd ..

echo "@ checking the result"
cp ffmpeg/ffmpeg$exe out/
$strip out/ffmpeg$exe
cp ffmpeg/COPYING.LGPLv2.1 out/LICENSE.FFmpeg
cp openh264/LICENSE out/LICENSE.OpenH264
$cc --version | head -n 1 > out/compiler.txt
sed -n 's/^#define FFMPEG_CONFIGURATION "\(.*\)"$/\1/p' ffmpeg/config.h > out/configure.txt
if [ "$platform" = linux-x64 ]; then
    if readelf -l out/ffmpeg | grep -q INTERP; then
        echo "build.sh: the binary is not static; some library has no .a on this host" >&2
        exit 1
    fi
    # Five black frames.
    head -c $((320 * 240 * 3 / 2 * 5)) /dev/zero |
        out/ffmpeg -v error -f rawvideo -pixel_format yuv420p -video_size 320x240 -framerate 5 -i pipe:0 \
            -c:v libopenh264 -movflags +frag_every_frame+empty_moov -f mp4 pipe:1 > /dev/null
fi
