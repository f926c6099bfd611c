/*
 * Makes the library commit a fault: is it watched?
 *
 *     fault 1    reads freed memory
 *     fault 2    loses memory
 */
#include <gigachat.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t gigachat__test_fault(uint32_t fault);

int main(int count, char **arguments) {
    uint32_t fault = count > 1 ? (uint32_t)atoi(arguments[1]) : 0;
    printf("%d\n", (int)gigachat__test_fault(fault));
    return 0;
}
