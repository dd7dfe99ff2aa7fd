using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Engine;

/// <summary>What a plan is made for.</summary>
/// <param name="FreeBytes">Memory that may still be taken; null where the system does not say.</param>
/// <param name="Cores">Physical cores.</param>
/// <param name="Instructions">The widest vector instructions, by name.</param>
public sealed record MachineFacts(long? FreeBytes, int Cores, string Instructions)
{
    /// <summary>This machine now, container limits included.</summary>
    public static MachineFacts Read() => new(AvailableMemory.Bytes(), ProcessorCores.Count, VectorInstructions());

    private static string VectorInstructions() =>
        Avx512F.IsSupported ? "AVX-512"
        : Avx2.IsSupported ? "AVX2"
        : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "NEON"
        : "SSE";
}
