/*
 * keyring.c
 *		See keyring.h.
 *
 * What a newcomer gets wrong: the file is checked on the open descriptor (fstat),
 * not by its name, or it could be exchanged between the look and the read.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include "pg/guc.h"
#include "pg/keyring.h"

#define MAX_FILE_BYTES 65536

typedef struct SecretChunk
{
	MemoryContextCallback callback;
	Size		size;
	char		data[FLEXIBLE_ARRAY_MEMBER];
} SecretChunk;

static void
wipe_chunk(void *arg)
{
	SecretChunk *chunk = arg;

	explicit_bzero(chunk->data, chunk->size);
}

void *
callsync_alloc_secret(MemoryContext context, Size size)
{
	SecretChunk *chunk = MemoryContextAlloc(context, offsetof(SecretChunk, data) + size);

	chunk->size = size;
	chunk->callback.func = wipe_chunk;
	chunk->callback.arg = chunk;
	MemoryContextRegisterResetCallback(context, &chunk->callback);
	return chunk->data;
}

static const char *const key_file_hint =
"Make one with: openssl rand -base64 48 > FILE; chmod 600 FILE, as the operating system user of the server, and set callsync.key_file to it.";

/* The whole file in wiped memory; raises on everything that is not as it must be. */
static char *
read_file(MemoryContext context)
{
	int			fd = OpenTransientFile(callsync_key_file, O_RDONLY | PG_BINARY);
	struct stat st;
	char	   *buffer;
	ssize_t		got;
	size_t		used = 0;

	/* the path is a superuser's business, so it does not show in messages */
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open the file of callsync.key_file: %m"),
				 errhint("%s", key_file_hint)));
	if (fstat(fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat the file of callsync.key_file: %m")));
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of callsync.key_file is no regular file")));
	if (st.st_uid != geteuid())
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of callsync.key_file belongs to another user"),
				 errdetail("It must belong to the operating system user that runs the server."),
				 errhint("%s", key_file_hint)));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of callsync.key_file is accessible to other users"),
				 errdetail("Its mode is %04o.", (unsigned) (st.st_mode & 07777)),
				 errhint("chmod 600 the file, and consider its keys as known to others.")));
	if (st.st_size > MAX_FILE_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of callsync.key_file is larger than %d bytes", MAX_FILE_BYTES)));

	buffer = callsync_alloc_secret(context, (Size) st.st_size + 1);
	while (used < (size_t) st.st_size &&
		   (got = read(fd, buffer + used, (size_t) st.st_size - used)) != 0)
	{
		if (got < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read the file of callsync.key_file: %m")));
		used += (size_t) got;
	}
	buffer[used] = '\0';
	CloseTransientFile(fd);
	return buffer;
}

/* An id that tells keys apart and tells nothing about them. */
static void
derive_id(const char *text, char id[CALLSYNC_KEY_ID_SIZE])
{
	static const char salt[] = "callsync key id 1";
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) salt, sizeof(salt)) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) text, strlen(text)) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256 of a key");
	pg_cryptohash_free(hash);
	for (int i = 0; i < (CALLSYNC_KEY_ID_SIZE - 1) / 2; i++)
		snprintf(id + 2 * i, 3, "%02x", digest[i]);
	explicit_bzero(digest, sizeof(digest));
}

CallsyncKeyring *
callsync_keyring_read(MemoryContext context)
{
	CallsyncKeyring *ring = MemoryContextAllocZero(context, sizeof(CallsyncKeyring));
	char	   *rest;
	char	   *line;
	int			number = 0;

	if (callsync_key_file[0] == '\0')
		return ring;

	rest = read_file(context);
	while ((line = strsep(&rest, "\n")) != NULL)
	{
		size_t		len;
		CallsyncKey *key;

		number++;
		line += strspn(line, " \t\r");
		len = strlen(line);
		while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
			line[--len] = '\0';
		if (len == 0 || line[0] == '#')
			continue;
		if (len < CALLSYNC_KEY_MIN_LEN)
			ereport(ERROR,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("line %d of the file of callsync.key_file is too short for a key", number),
					 errdetail("A key has at least %d characters.", CALLSYNC_KEY_MIN_LEN),
					 errhint("%s", key_file_hint)));
		if (ring->nkeys == CALLSYNC_KEYRING_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("the file of callsync.key_file holds more than %d keys", CALLSYNC_KEYRING_MAX)));
		key = &ring->keys[ring->nkeys++];
		key->text = line;
		derive_id(line, key->id);
	}
	if (ring->nkeys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("the file of callsync.key_file holds no key"),
				 errhint("%s", key_file_hint)));
	return ring;
}

/* What tells that the file is still the one that was read. */
typedef struct FileStamp
{
	dev_t		device;
	ino_t		inode;
	off_t		size;
	mode_t		mode;
	uid_t		owner;
	struct timespec modified;
	struct timespec changed;
} FileStamp;

const CallsyncKeyring *
callsync_keyring(void)
{
	static MemoryContext context = NULL;
	static CallsyncKeyring *ring = NULL;
	static char *path = NULL;
	static FileStamp stamp;
	FileStamp	now;
	struct stat st;

	memset(&now, 0, sizeof(now));
	if (callsync_key_file[0] != '\0' && stat(callsync_key_file, &st) == 0)
	{
		now.device = st.st_dev;
		now.inode = st.st_ino;
		now.size = st.st_size;
		now.mode = st.st_mode;
		now.owner = st.st_uid;
		now.modified = st.st_mtim;
		now.changed = st.st_ctim;
	}
	if (ring != NULL && strcmp(path, callsync_key_file) == 0 &&
		memcmp(&now, &stamp, sizeof(now)) == 0)
		return ring;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "callsync keyring",
										ALLOCSET_SMALL_SIZES);
	ring = NULL;
	MemoryContextReset(context);
	path = MemoryContextStrdup(context, callsync_key_file);
	stamp = now;
	ring = callsync_keyring_read(context);
	return ring;
}

const CallsyncKey *
callsync_keyring_find(const CallsyncKeyring *ring, const char *id)
{
	for (int i = 0; i < ring->nkeys; i++)
	{
		if (strcmp(ring->keys[i].id, id) == 0)
			return &ring->keys[i];
	}
	return NULL;
}
