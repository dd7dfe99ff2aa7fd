using PsyLite.Engine.Native;

namespace PsyLite.Engine.Measuring;

/// <summary>The pages of this program and its libraries, for one that measures another process of the same files.</summary>
public static class OwnPages
{
    /// <summary>Lets go of them, so that they count as the other's alone; what is still needed comes back at the next touch.</summary>
    public static void GiveBack() => FilePages.DropCode();
}
