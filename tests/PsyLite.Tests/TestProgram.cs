using PsyLite.Tests.Store;

namespace PsyLite.Tests;

/// <summary>The test program run by itself: it stands in for a server that a test may kill.</summary>
internal static class TestProgram
{
    public static Task<int> Main(string[] arguments) => arguments is ["store-load", var store, var seed]
        ? StoreLoad.RunAsync(store, int.Parse(seed))
        : Task.FromResult(2);
}
