/*
 * Bare MPI, as the code for it would be without Sheaf: a master (rank 0) and its workers. Knows
 * nothing of Sheaf. Rank 0 prints the seconds on standard error.
 *
 *   mpirun -n 2 bench-mpi-reference trip ROUNDS     the median of 64 bytes there and back
 *   mpirun -n N bench-mpi-reference tasks COUNT     one number a message, one message per worker
 *                                                   under way, one answer each
 *   mpirun -n N bench-mpi-reference ahead COUNT     the same with eight per worker under way
 *   mpirun -n 2 bench-mpi-reference bytes MIB       so many mebibytes, a mebibyte a message, each
 *                                                   answered; two under way
 */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAG_WORK = 1,
    TAG_ANSWER,
    TAG_STOP,
    TRIP_BYTES = 64,
    BLOCK_BYTES = 1 << 20,
    UNDER_WAY = 2,
    AHEAD = 8
};

static int compare_double(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Answer whatever comes with its sum, until told to stop. */
static void work(size_t bytes_max)
{
    int64_t *numbers = calloc(1, bytes_max);
    MPI_Status status;

    while (numbers) {
        int64_t sum = 0;
        int bytes;

        MPI_Recv(numbers, (int)bytes_max, MPI_BYTE, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        if (status.MPI_TAG == TAG_STOP)
            break;
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        for (size_t i = 0; i < (size_t)bytes / sizeof sum; i++)
            sum += numbers[i];
        MPI_Send(&sum, sizeof sum, MPI_BYTE, 0, TAG_ANSWER, MPI_COMM_WORLD);
    }
    free(numbers);
}

static double trip(uint64_t rounds)
{
    double *seconds = calloc(rounds, sizeof *seconds), median;
    char message[TRIP_BYTES] = {0};
    int64_t sum;

    for (uint64_t i = 0; seconds && i < rounds; i++) {
        double start = MPI_Wtime();

        MPI_Send(message, sizeof message, MPI_BYTE, 1, TAG_WORK, MPI_COMM_WORLD);
        MPI_Recv(&sum, sizeof sum, MPI_BYTE, 1, TAG_ANSWER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        seconds[i] = MPI_Wtime() - start;
    }
    qsort(seconds, rounds, sizeof *seconds, compare_double);
    median = seconds[rounds / 2];
    free(seconds);
    return median;
}

static double tasks(uint64_t count, int workers, int ahead)
{
    double start = MPI_Wtime();
    uint64_t given = 0;
    int64_t number = 0, sum;

    for (int i = 0; i < workers * ahead && given < count; i++, given++)
        MPI_Send(&number, sizeof number, MPI_BYTE, 1 + i % workers, TAG_WORK, MPI_COMM_WORLD);
    for (uint64_t taken = 0; taken < given; taken++) {
        MPI_Status status;

        MPI_Recv(&sum, sizeof sum, MPI_BYTE, MPI_ANY_SOURCE, TAG_ANSWER, MPI_COMM_WORLD, &status);
        number = (int64_t)given;
        if (given < count) {
            MPI_Send(&number, sizeof number, MPI_BYTE, status.MPI_SOURCE, TAG_WORK, MPI_COMM_WORLD);
            given++;
        }
    }
    return MPI_Wtime() - start;
}

static double bytes(uint64_t blocks)
{
    char *data = malloc((size_t)UNDER_WAY * BLOCK_BYTES);
    MPI_Request requests[UNDER_WAY];
    double start;
    int64_t sum;

    memset(data, 1, (size_t)UNDER_WAY * BLOCK_BYTES);
    start = MPI_Wtime();
    for (uint64_t i = 0; i < blocks + UNDER_WAY; i++) {
        size_t at = (size_t)(i % UNDER_WAY);

        if (i >= UNDER_WAY) {
            MPI_Wait(&requests[at], MPI_STATUS_IGNORE);
            MPI_Recv(&sum, sizeof sum, MPI_BYTE, 1, TAG_ANSWER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
        if (i < blocks)
            MPI_Isend(data + at * BLOCK_BYTES, BLOCK_BYTES, MPI_BYTE, 1, TAG_WORK, MPI_COMM_WORLD,
                      &requests[at]);
    }
    start = MPI_Wtime() - start;
    free(data);
    return start;
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    double seconds = 0;
    int rank, ranks;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (!count || ranks < 2) {
        fputs("usage: mpirun -n 2 bench-mpi-reference trip|tasks|ahead|bytes COUNT\n", stderr);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    if (rank) {
        work(BLOCK_BYTES);
    } else {
        seconds = !strcmp(argv[1], "trip")    ? trip(count)
                  : !strcmp(argv[1], "tasks") ? tasks(count, ranks - 1, 1)
                  : !strcmp(argv[1], "ahead") ? tasks(count, ranks - 1, AHEAD)
                                              : bytes(count);
        for (int other = 1; other < ranks; other++)
            MPI_Send(NULL, 0, MPI_BYTE, other, TAG_STOP, MPI_COMM_WORLD);
        fprintf(stderr, "%.9f\n", seconds);
    }
    MPI_Finalize();
    return 0;
}
